"""Teachers: CLIP from a folder, a detector in its place; what they are called and what they refuse."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from vsdmot.config import from_mapping, to_mapping
from vsdmot.errors import CheckpointError, ConfigError
from vsdmot.training.distillation.dcsd import Distiller
from vsdmot.training.distillation.detector_teacher import DetectorTeacher
from vsdmot.training.distillation.teacher import Teacher, TeacherConfig, load_teacher, weights_digest

transformers = pytest.importorskip("transformers")

from vsdmot.training.distillation.clip_teacher import ClipTeacher  # noqa: E402

WIDTH, SIDE, PATCH = 32, 28, 14


def vision_config(**changes):
    return transformers.CLIPVisionConfig(
        hidden_size=WIDTH, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, image_size=SIDE,
        patch_size=PATCH, **changes,
    )  # fmt: skip


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory) -> Path:
    """A tiny CLIPVisionModel with random weights, its norm away from the identity."""
    torch.manual_seed(0)
    model = transformers.CLIPVisionModel(vision_config())
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "layernorm" in name or "layer_norm" in name:
                parameter.add_(0.3 * torch.randn_like(parameter))
    folder = tmp_path_factory.mktemp("clip")
    model.save_pretrained(folder)
    return folder


def images(batch: int = 2, height: int = 36, width: int = 64, seed: int = 0) -> torch.Tensor:
    return torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(seed))


def changed_copy(folder: Path, target: Path) -> Path:
    """The same model with one weight a little different."""
    from safetensors.torch import load_file, save_file

    shutil.copytree(folder, target)
    tensors = load_file(target / "model.safetensors")
    name = sorted(tensors)[-1]
    tensors[name] = tensors[name].clone()
    tensors[name].view(-1)[0] += 1e-3
    save_file(tensors, target / "model.safetensors", {"format": "pt"})
    return target


class TestClip:
    def test_pooled_is_the_models_pooled_hidden_state(self, clip_folder):
        teacher = ClipTeacher.from_pretrained(str(clip_folder))
        model = transformers.CLIPVisionModel.from_pretrained(clip_folder).eval()
        with torch.no_grad():
            outputs = model(pixel_values=teacher.prepare(images()))
        rows = teacher(images())
        assert (teacher.width, teacher.tokens) == (WIDTH, 1)
        assert rows.shape == (2, 1, WIDTH)
        torch.testing.assert_close(rows[:, 0], outputs.pooler_output)

    def test_patches_are_the_other_tokens_after_the_last_norm(self, clip_folder):
        teacher = ClipTeacher.from_pretrained(str(clip_folder), tokens="patch")
        model = transformers.CLIPVisionModel.from_pretrained(clip_folder).eval()
        with torch.no_grad():
            hidden = model(pixel_values=teacher.prepare(images())).last_hidden_state[:, 1:]
        norm = next(m for n, m in model.named_modules() if n.endswith("post_layernorm"))
        expected = functional.layer_norm(hidden, (WIDTH,), norm.weight, norm.bias, norm.eps)
        rows = teacher(images())
        assert (teacher.width, teacher.tokens) == (WIDTH, 4)
        assert rows.shape == (2, 4, WIDTH)
        torch.testing.assert_close(rows, expected)

    def test_patches_go_row_by_row(self, clip_folder):
        """All tokens see all patches, but a patch that changes moves its own token most."""
        teacher = ClipTeacher.from_pretrained(str(clip_folder), tokens="patch")
        for index, (rows, columns) in enumerate(
            [(slice(0, 14), slice(0, 14)), (slice(0, 14), slice(14, 28)), (slice(14, 28), slice(0, 14))]
        ):
            one = torch.full((1, 3, SIDE, SIDE), 0.5)
            other = one.clone()
            other[:, :, rows, columns] = images(1, 14, 14)
            assert (teacher(other) - teacher(one)).norm(dim=-1)[0].argmax() == index

    def test_the_whole_frame_is_squashed_and_nothing_is_cut_off(self, clip_folder):
        """CLIP's own centre crop would not see the outer 44 % of a frame of 16:9."""
        teacher = ClipTeacher.from_pretrained(str(clip_folder))
        black = torch.zeros(1, 3, 90, 160)
        person = black.clone()
        person[..., :12] = 1.0  # at the very left
        difference = (teacher.prepare(person) - teacher.prepare(black))[0, 0]
        assert difference.shape == (SIDE, SIDE)
        assert (difference[:, 0] > 1).all()
        assert difference[:, 8:].abs().max() < 0.1
        assert not torch.equal(teacher(person), teacher(black))

    def test_a_picture_of_the_right_size_is_only_normalised(self, clip_folder):
        teacher = ClipTeacher.from_pretrained(str(clip_folder))
        picture = images(1, SIDE, SIDE)
        mean, spread = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
        prepared = teacher.prepare(picture)
        for channel in range(3):
            expected = (picture[0, channel] - mean[channel]) / spread[channel]
            torch.testing.assert_close(prepared[0, channel], expected, atol=1e-5, rtol=1e-5)

    def test_resizing_is_that_of_pillow_within_the_rounding_of_pixels(self, clip_folder):
        import PIL.Image

        teacher = ClipTeacher.from_pretrained(str(clip_folder))
        pixels = np.random.default_rng(0).integers(0, 256, (90, 160, 3), np.uint8)
        resized = np.asarray(PIL.Image.fromarray(pixels).resize((SIDE, SIDE), PIL.Image.BICUBIC), np.float32) / 255
        prepared = teacher.prepare(torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255)
        back = prepared[0] * torch.tensor((0.26862954, 0.26130258, 0.27577711)).view(3, 1, 1)
        back = back + torch.tensor((0.48145466, 0.4578275, 0.40821073)).view(3, 1, 1)
        assert np.abs(back.permute(1, 2, 0).numpy() - resized).max() < 2.1 / 255  # Pillow rounds twice

    def test_extreme_pictures(self, clip_folder):
        teacher = ClipTeacher.from_pretrained(str(clip_folder))
        for height, width in ((1, 1), (1, 300), (500, 3), (29, 27)):
            assert teacher(images(1, height, width)).isfinite().all()

    def test_bicubic_weights_do_not_overshoot(self, clip_folder):
        edge = torch.zeros(1, 3, 200, 200)
        edge[..., 101:] = 1
        prepared = ClipTeacher.from_pretrained(str(clip_folder)).prepare(edge)[0, 0]
        assert prepared.max() == pytest.approx((1 - 0.48145466) / 0.26862954)
        assert prepared.min() == pytest.approx(-0.48145466 / 0.26862954)

    def test_a_frame_alone_and_in_a_batch_says_the_same(self, clip_folder):
        teacher = ClipTeacher.from_pretrained(str(clip_folder))
        torch.testing.assert_close(teacher(images(3))[1:2], teacher(images(3)[1:2]))

    def test_what_it_says_can_be_used_in_a_loss(self, clip_folder):
        """Tensors of inference mode cannot be kept for the gradient of the teacher projection."""
        teacher = ClipTeacher.from_pretrained(str(clip_folder))
        rows = teacher(images(1))[0]
        assert not rows.requires_grad
        distiller = Distiller(8, WIDTH)
        distiller(torch.randn(1, 3, 8), rows).total.backward()
        assert distiller.teacher_proj.weight.grad.abs().sum() > 0

    def test_a_whole_clip_model_gives_its_image_encoder_quietly(self, clip_folder, tmp_path, capfd):
        text = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
        text |= {"vocab_size": 100, "bos_token_id": 0, "eos_token_id": 1}
        config = transformers.CLIPConfig(vision_config=vision_config().to_dict(), text_config=text)
        model = transformers.CLIPModel(config).eval()
        model.save_pretrained(tmp_path / "whole")
        capfd.readouterr()
        teacher = ClipTeacher.from_pretrained(str(tmp_path / "whole"))
        assert capfd.readouterr() == ("", "")
        with torch.no_grad():
            expected = model.vision_model(pixel_values=teacher.prepare(images())).pooler_output
        torch.testing.assert_close(teacher(images())[:, 0], expected)
        vision = transformers.CLIPVisionModel.from_pretrained(tmp_path / "whole")
        vision.save_pretrained(tmp_path / "part")
        assert ClipTeacher.from_pretrained(str(tmp_path / "part")).identity == teacher.identity


class TestClipThatCannotBeHad:
    def refused(self, location) -> str:
        with pytest.raises(CheckpointError) as raised:
            ClipTeacher.from_pretrained(str(location))
        assert "\n" not in str(raised.value)
        assert str(raised.value).startswith(f"{location}: ")
        return str(raised.value)

    @pytest.mark.parametrize("location", ["nothing", "/no/such/folder", "./a/b", "../x", "~/x", "a/b/c"])
    def test_no_folder(self, location):
        assert "no such folder" in self.refused(location)

    def test_an_empty_folder(self, tmp_path):
        assert "not readable as a CLIPVisionModel" in self.refused(tmp_path)

    def test_another_model(self, tmp_path):
        config = transformers.BertConfig(
            hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, vocab_size=50
        )
        transformers.BertModel(config).save_pretrained(tmp_path)
        assert "of its weights are missing (first: " in self.refused(tmp_path)

    def test_one_weight_is_missing_and_would_be_random(self, clip_folder, tmp_path):
        from safetensors.torch import load_file, save_file

        folder = shutil.copytree(clip_folder, tmp_path / "clip")
        tensors = load_file(folder / "model.safetensors")
        tensors.pop(next(name for name in tensors if name.endswith("post_layernorm.weight")))
        save_file(tensors, folder / "model.safetensors", {"format": "pt"})
        assert "but 1 of its weights are missing" in self.refused(folder)

    def test_weights_that_are_cut_off(self, clip_folder, tmp_path):
        folder = shutil.copytree(clip_folder, tmp_path / "clip")
        whole = (folder / "model.safetensors").read_bytes()
        (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])
        assert "not readable as a CLIPVisionModel" in self.refused(folder)

    def test_weights_of_another_size(self, clip_folder, tmp_path):
        folder = shutil.copytree(clip_folder, tmp_path / "clip")
        settings = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**settings, "intermediate_size": 64}))
        assert "not readable as a CLIPVisionModel" in self.refused(folder)

    def test_weights_that_are_not_finite(self, clip_folder, tmp_path):
        from safetensors.torch import load_file, save_file

        folder = shutil.copytree(clip_folder, tmp_path / "clip")
        tensors = load_file(folder / "model.safetensors")
        name = next(name for name in tensors if name.endswith("post_layernorm.weight"))
        tensors[name] = torch.full_like(tensors[name], float("nan"))
        save_file(tensors, folder / "model.safetensors", {"format": "pt"})
        assert "values that are not finite" in self.refused(folder)

    def test_the_hub_is_out_of_reach(self, monkeypatch, capfd):
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        line = self.refused("nobody/no-such-clip")
        assert "no such folder here, and not to be had from the Hugging Face hub (" in line
        assert line.endswith("download it elsewhere and give the path of its folder")
        assert capfd.readouterr() == ("", "")

    def test_transformers_is_not_installed(self, clip_folder, monkeypatch):
        monkeypatch.setitem(sys.modules, "transformers", None)
        with pytest.raises(ConfigError, match=r"needs the package transformers .*install vsdmot\[train\]"):
            ClipTeacher.from_pretrained(str(clip_folder))


class TestDetector:
    def test_pooled_is_mean_and_deviation_of_each_level_number_by_number(self, detector_file):
        from vsdmot.detection.yolox.checkpoint import load_yolox

        teacher = DetectorTeacher.from_checkpoint(detector_file, size=64)
        network = load_yolox(detector_file).network
        with torch.no_grad():
            levels = network.backbone(teacher.prepare(images(1)))
        expected = []
        for level in levels:
            cells = level[0].double().flatten(1).numpy()
            for part in (cells.mean(1), np.sqrt(((cells - cells.mean(1, keepdims=True)) ** 2).mean(1))):
                expected.extend((part - part.mean()) / np.sqrt(((part - part.mean()) ** 2).mean() + 1e-5))
        rows = teacher(images(1))
        assert (teacher.width, teacher.tokens) == (896, 1)
        assert rows.shape == (1, 1, 896)
        np.testing.assert_allclose(rows[0, 0].numpy(), expected, atol=2e-3)

    @pytest.mark.parametrize(("height", "width"), [(36, 64), (64, 36), (50, 50), (1, 1)])
    def test_patches_are_as_many_whatever_the_proportions(self, detector_file, height, width):
        teacher = DetectorTeacher.from_checkpoint(detector_file, tokens="patch", size=128)
        rows = teacher(images(1, height, width))
        assert rows.shape == (1, teacher.tokens, teacher.width) == (1, 144, 256)
        assert rows.isfinite().all()
        assert rows.mean(-1).abs().max() < 1e-4

    def test_patches_go_row_by_row(self, detector_file):
        from vsdmot.detection.yolox.checkpoint import load_yolox

        teacher = DetectorTeacher.from_checkpoint(detector_file, tokens="patch", size=384)
        picture = images(1, 384, 384)
        with torch.no_grad():
            coarsest = load_yolox(detector_file).network.backbone(teacher.prepare(picture))[-1]
        assert coarsest.shape[-2:] == (12, 12)
        expected = functional.layer_norm(coarsest[0, :, 2, 7], (256,))
        torch.testing.assert_close(teacher(picture)[0, 2 * 12 + 7], expected, atol=1e-3, rtol=1e-3)

    def test_it_sees_what_the_detector_sees(self, detector_file):
        from vsdmot.detection.yolox.letterbox import letterbox

        teacher = DetectorTeacher.from_checkpoint(detector_file, size=64)
        pixels = np.random.default_rng(0).integers(0, 256, (45, 80, 3), np.uint8)
        prepared = teacher.prepare(torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255)
        padded, _ = letterbox(pixels, (64, 64))
        mean, spread = np.array((0.485, 0.456, 0.406)), np.array((0.229, 0.224, 0.225))
        expected = (padded / 255 - mean) / spread
        np.testing.assert_allclose(prepared[0].permute(1, 2, 0).numpy(), expected, atol=1e-4)

    def test_pixel_values_are_rounded_not_cut(self, detector_file):
        teacher = DetectorTeacher.from_checkpoint(detector_file, size=32)
        cut, rounded = (teacher.prepare(torch.full((1, 3, 32, 32), value / 255)) for value in (99.6, 100))
        assert torch.equal(cut, rounded)

    def test_a_map_of_a_single_cell_has_no_deviation(self, detector_file):
        rows = DetectorTeacher.from_checkpoint(detector_file, size=32)(images(1, 32, 32))
        assert rows.isfinite().all()
        assert not rows[0, 0, -256:].any()

    def test_it_tells_pictures_apart_and_can_be_used_in_a_loss(self, detector_file):
        teacher = DetectorTeacher.from_checkpoint(detector_file, size=64)
        first, second = teacher(images(2))
        assert (first - second).abs().max() > 0.01
        distiller = Distiller(8, teacher.width)
        distiller(torch.randn(1, 3, 8), first).total.backward()
        assert distiller.teacher_proj.weight.grad.isfinite().all()

    def test_a_file_that_is_no_detector(self, tmp_path):
        with pytest.raises(CheckpointError, match="no such file of weights"):
            load_teacher(TeacherConfig(kind="detector", location=str(tmp_path / "yolox.pth")))

    def test_published_weights(self, shared_data):
        path = shared_data / "weights" / "yolox_nano_coco_legacy.safetensors"
        teacher = DetectorTeacher.from_checkpoint(path, size=256)
        rows = teacher(images(2, 90, 160))
        assert rows.shape == (2, 1, 896)
        assert rows.square().mean().sqrt() == pytest.approx(1, abs=0.05)


@pytest.fixture(scope="module")
def clip(clip_folder) -> ClipTeacher:
    return ClipTeacher.from_pretrained(str(clip_folder))


class TestIdentity:
    def test_the_same_weights_elsewhere_are_the_same_teacher(self, clip, clip_folder, tmp_path):
        copy = shutil.copytree(clip_folder, tmp_path / "elsewhere")
        again = ClipTeacher.from_pretrained(str(copy))
        assert again.identity == clip.identity
        assert again.provenance["source"] != clip.provenance["source"]

    def test_one_changed_weight_is_another_teacher(self, clip, clip_folder, tmp_path):
        changed = ClipTeacher.from_pretrained(str(changed_copy(clip_folder, tmp_path / "changed")))
        assert changed.identity != clip.identity
        assert changed.provenance["weights_sha256"] != clip.provenance["weights_sha256"]

    def test_other_tokens_are_another_teacher(self, clip, clip_folder):
        assert ClipTeacher.from_pretrained(str(clip_folder), tokens="patch").identity != clip.identity

    def test_the_detectors_settings_and_weights_count(self, detector_file, tmp_path):
        from vsdmot.detection.yolox.checkpoint import load_yolox, save_yolox

        network = load_yolox(detector_file).network
        changed = load_yolox(detector_file).network
        with torch.no_grad():
            changed.backbone.backbone.stem.conv.conv.weight.view(-1)[0] += 1e-3
        save_yolox(tmp_path / "changed.safetensors", changed, "legacy")
        teachers = [
            DetectorTeacher.from_checkpoint(detector_file),
            DetectorTeacher.from_checkpoint(detector_file, size=320),
            DetectorTeacher.from_checkpoint(detector_file, tokens="patch"),
            DetectorTeacher.from_checkpoint(tmp_path / "changed.safetensors"),
            DetectorTeacher(network, "current", tokens="pooled", source=""),
        ]
        assert len({teacher.identity for teacher in teachers}) == len(teachers)
        assert DetectorTeacher.from_checkpoint(detector_file).identity == teachers[0].identity

    def test_it_can_name_a_folder(self, clip, detector_file):
        for teacher in (clip, DetectorTeacher.from_checkpoint(detector_file)):
            assert teacher.identity.replace("-", "").isalnum()
            assert len(teacher.identity) < 40

    def test_provenance_goes_into_a_checkpoint(self, clip, detector_file):
        for teacher in (clip, DetectorTeacher.from_checkpoint(detector_file)):
            facts = json.loads(json.dumps(teacher.provenance))
            assert facts == teacher.provenance
            assert facts["width"] == teacher.width
            assert facts["identity"] == teacher.identity
            assert {"kind", "source", "weights_sha256", "tokens"} <= facts.keys()

    def test_the_digest_sees_names_shapes_types_and_values(self):
        base = {"a": torch.arange(4.0), "b": torch.ones(2)}
        others = [
            {"a": torch.arange(4.0), "c": torch.ones(2)},
            {"a": torch.arange(4.0).view(2, 2), "b": torch.ones(2)},
            {"a": torch.arange(4), "b": torch.ones(2)},
            {"a": torch.arange(4.0), "b": torch.tensor([1.0, 1.0000001])},
            {"a": torch.arange(4.0)},
        ]
        digests = [weights_digest(state) for state in (base, *others)]
        assert len(set(digests)) == len(digests)
        strided = {"b": torch.ones(4)[::2], "a": torch.arange(8.0)[:4]}
        assert weights_digest(strided) == digests[0]
        assert weights_digest({"counter": torch.tensor(3)}) != weights_digest({"counter": torch.tensor(4)})


@pytest.mark.parametrize(
    "wrong",
    [torch.zeros(3, 8, 8), torch.zeros(1, 8, 8, 3), torch.zeros(1, 3, 8, 8).byte(), torch.zeros(1, 4, 8, 8)],
    ids=["one picture", "channels last", "0 to 255", "four channels"],
)
def test_pictures_of_another_kind_are_refused(wrong, clip_folder, detector_file):
    teachers: list[Teacher] = [
        ClipTeacher.from_pretrained(str(clip_folder)),
        DetectorTeacher.from_checkpoint(detector_file),
    ]
    for teacher in teachers:
        with pytest.raises(ValueError, match=r"images must have the shape \(B, 3, H, W\)"):
            teacher(wrong)


class TestConfig:
    def test_each_kind_is_loaded(self, clip_folder, detector_file):
        assert load_teacher(TeacherConfig(kind="none")) is None
        clip = load_teacher(TeacherConfig(location=str(clip_folder), tokens="patch"))
        assert isinstance(clip, ClipTeacher)
        assert clip.tokens == 4
        detector = load_teacher(
            TeacherConfig(kind="detector", location=str(detector_file), tokens="patch", detector_size=320)
        )
        assert isinstance(detector, DetectorTeacher)
        assert detector.provenance["image_size"] == 320

    def test_the_default_is_the_papers_clip(self, monkeypatch):
        asked = []
        monkeypatch.setattr(ClipTeacher, "from_pretrained", lambda location, **settings: asked.append(location))
        load_teacher(TeacherConfig())
        assert asked == ["openai/clip-vit-large-patch14"]

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ({"kind": "detector"}, "location: must be a file of YOLOX weights when kind is detector, got None"),
            ({"detector_size": 100}, "detector_size: must be a multiple of 32, got 100"),
            ({"detector_size": 0}, "detector_size: must be a multiple of 32, got 0"),
            ({"kind": "dino"}, "kind: expected one of none, clip, detector"),
            ({"tokens": "cls"}, "tokens: expected one of pooled, patch"),
        ],
    )
    def test_wrong_settings_are_told(self, values, message):
        with pytest.raises(ConfigError, match=message):
            from_mapping(TeacherConfig, values)

    def test_settings_survive_a_checkpoint(self):
        config = TeacherConfig(kind="detector", location="yolox.pth", cache=Path("features"))
        assert from_mapping(TeacherConfig, to_mapping(config)) == config


def test_the_training_package_does_not_need_transformers():
    code = (
        "import sys\nfor name in ('transformers', 'av', 'supervision', 'trackers'): sys.modules[name] = None\n"
        "from vsdmot.training.distillation import cache, clip_teacher, collapse, dcsd, detector_teacher\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
