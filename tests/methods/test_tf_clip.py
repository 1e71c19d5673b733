"""TF-CLIP: diffusion against attention written out, its heads, cameras and memory."""

import pytest
import timm
import torch

from benchmark.cost.macs import count
from methods.clip_vit import VIT
from methods.head import Head
from methods.tf_clip import TemporalMemoryDiffusion, TFCLIPHead, tf_clip

SIZE = {"height": 64, "width": 32}
WIDTHS = [64, 42, 64]  # of f₁, f₂, f₃


def tiny(num_classes=0, seed=0, **arguments):
    torch.manual_seed(seed)
    backbone = timm.create_model(VIT, embed_dim=64, depth=2, num_heads=4)
    return tf_clip(backbone, num_classes, **SIZE, **arguments)


def prepared(model, persons, draw):
    """With a memory of two clips a person."""
    work = model.preparation(torch.arange(persons).repeat(2))
    work.add(draw(2 * persons, 2, 3, 64, 32).to(model.tower.pos_embed), torch.arange(2 * persons))
    work.finish()
    return model


def without_dropout(model):
    """In training, but with nothing dropped by chance."""
    for layer in model.modules():
        if isinstance(layer, torch.nn.Dropout):
            layer.p = 0.0


# ---- temporal memory diffusion, in loops ---------------------------------------------------------


def linear(layer, x):
    return layer.weight @ x + layer.bias


def norm(layer, x):
    centred = x - x.mean()
    return centred / (centred.square().mean() + 1e-5).sqrt() * layer.weight + layer.bias


def attend(layer, rows):
    """Self-attention of a list of vectors; the joined layer holds q, k and v below each other."""
    wide, heads = len(rows[0]) // layer.num_heads, layer.num_heads
    q, k, v = zip(*(linear(layer.qkv, row).chunk(3) for row in rows), strict=True)
    results, weights = [], []
    for i in range(len(rows)):
        joined, shares = [], []
        for h in range(heads):
            part = slice(h * wide, (h + 1) * wide)
            logits = torch.stack([q[i][part] @ key[part] for key in k]) / wide**0.5
            powers = (logits - logits.max()).exp()
            shares.append(powers / powers.sum())
            joined.append(sum(s * value[part] for s, value in zip(shares[-1], v, strict=True)))
        results.append(linear(layer.proj, torch.cat(joined)))
        weights.append(sum(shares) / heads)
    return results, torch.stack(weights)


def diffused(tmd, clip):
    """One clip [T, N, D] -> tokens [T, N + 1, D], weights of memories and of all tokens."""
    memory = [linear(tmd.message, sum(frame) / len(frame)) for frame in clip]  # step 1
    exchanged, between = attend(tmd.between_frames, [norm(tmd.norm, m) for m in memory])
    memory = [m + e for m, e in zip(memory, exchanged, strict=True)]  # step 2
    frames, inside = [], []
    for frame, m in zip(clip, memory, strict=True):
        rows = [*frame, m]  # step 3
        added, weights = attend(tmd.block.attn, [norm(tmd.block.norm1, row) for row in rows])
        rows = [row + a for row, a in zip(rows, added, strict=True)]  # step 4
        mlp = tmd.block.mlp
        for i, row in enumerate(rows):
            hidden = linear(mlp.fc1, norm(tmd.block.norm2, row))
            rows[i] = row + linear(mlp.fc2, hidden / (1 + (-1.702 * hidden).exp()))
        frames.append(torch.stack(rows))
        inside.append(weights)
    return torch.stack(frames), between, torch.stack(inside)


@pytest.fixture
def tmd(draw):
    module = TemporalMemoryDiffusion(12, 3)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(draw(*parameter.shape) * 0.3 + (parameter.ndim == 1) * 0.5)
    return module.double()


def test_diffusion_is_the_equations_written_out(tmd, draw):
    clips = draw(2, 3, 5, 12).double()
    with torch.no_grad():
        found = tmd(clips)
        between, inside = tmd.attention(clips)
        for b in range(2):
            tokens, pairs, weights = diffused(tmd, clips[b])
            assert torch.allclose(found[b], tokens, atol=1e-10)
            assert torch.allclose(between[b], pairs, atol=1e-10)
            assert torch.allclose(inside[b], weights[:, -1, :-1], atol=1e-10)


def test_a_frame_learns_of_another_through_the_memory_alone(tmd, draw):
    clips = draw(1, 3, 5, 12).double()
    other = clips.clone()
    other[:, 2] = draw(5, 12)
    with torch.no_grad():
        assert not torch.allclose(tmd(clips)[:, 0], tmd(other)[:, 0])
        tmd.between_frames.proj.weight.zero_()
        assert torch.allclose(tmd(clips)[:, 0], tmd(other)[:, 0])


# ---- the network ---------------------------------------------------------------------------------


def test_the_embedding_joins_three_features_before_any_neck(wake, draw):
    model, clips = wake(tiny(3, memory=False)).double(), draw(2, 3, 3, 64, 32).double()
    with torch.no_grad():
        out = model(clips)
        tokens = model.tower.tokens(clips)
        f1 = tokens[:, :, 0].mean(1)
        f2 = (tokens[:, :, 0] @ model.tower.proj.weight.T).mean(1)
        f3 = torch.stack([diffused(model.diffusion, clip)[0].mean((0, 1)) for clip in tokens])
    assert torch.allclose(out.embedding.double(), torch.cat([f1, f2, f3], 1), atol=1e-5)
    assert torch.equal(out.metric, out.embedding)
    assert isinstance(model.neck, torch.nn.Identity)


def test_no_gradient_flows_from_the_diffusion_to_the_tower(draw):
    model = tiny(3, memory=False).train()
    out = model(draw(2, 2, 3, 64, 32))
    (out.heads[2].metric.square().sum() + out.heads[3].logits.square().sum()).backward()
    assert not any(p.grad is not None and p.grad.any() for p in model.tower.parameters())
    assert all(p.grad.any() for name, p in model.diffusion.named_parameters() if "bias" not in name)


@pytest.mark.parametrize("memory", [False, True])
def test_the_order_of_frames_does_not_matter(memory, wake, draw):
    model = wake(prepared(tiny(3), 3, draw) if memory else tiny(3, memory=False))
    clips, order = draw(2, 4, 3, 64, 32), [2, 0, 3, 1]
    heads = len(model.train()(clips).heads)
    assert heads == 4 + memory
    model.head.classifier.necks.eval()  # two clips have no statistics worth the name
    without_dropout(model)
    with torch.no_grad():
        one, other = model(clips), model(clips[:, order])
    assert (one.embedding - other.embedding).norm() < 1e-5 * one.embedding.norm()
    for place in set(range(heads)) - {3}:
        a, b = one.heads[place].logits, other.heads[place].logits
        assert (a - b).norm() < 1e-5 * a.norm()
    a, b = (out.heads[3].logits.unflatten(0, (2, 4)) for out in (one, other))
    assert (a[:, order] - b).norm() < 1e-5 * a.norm()


def test_each_part_is_trained_with_the_papers_weights(draw):
    model = prepared(tiny(3), 3, draw).train()
    out = model(draw(2, 4, 3, 64, 32))
    assert [head.cross_entropy for head in out.heads] == [0.25, 0.25, 0.25, 1 / 4, 1.0]
    assert [head.triplet for head in out.heads] == [1.0, 1.0, 1.0, 0.0, 0.0]
    assert [list(head.logits.shape) for head in out.heads] == [[2, 3]] * 3 + [[8, 3], [2, 3]]
    metrics = [head.metric for head in out.heads]
    assert torch.equal(torch.cat(metrics[:3], 1), out.metric)
    assert [m.shape[1] for m in metrics[:3]] == WIDTHS
    assert metrics[3:] == [None, None]
    assert out.logits is out.heads[0].logits


def test_a_clips_last_part_and_its_frames_share_a_classifier_with_necks_of_their_own(wake, draw):
    model, clips = wake(tiny(3, memory=False)), draw(2, 3, 3, 64, 32)
    classifier = model.head.classifier
    with torch.no_grad():
        out, frames = model(clips), model.diffusion(model.tower.tokens(clips)).mean(2)
        for place, rows in ((2, frames.mean(1)), (3, frames.flatten(0, 1))):
            neck = classifier.necks[place]
            normed = (rows - neck.running_mean) / (neck.running_var + neck.eps).sqrt()
            expected = normed * neck.weight @ classifier.temporal.weight.T
            assert torch.allclose(out.heads[place].logits, expected, atol=1e-5)
    assert all(not neck.bias.any() and not neck.bias.requires_grad for neck in classifier.necks)
    fresh = [tiny(500).head.classifier.get_submodule(n) for n in ("first", "projected", "temporal")]
    assert all(layer.bias is None for layer in fresh)
    assert all(layer.weight.std().item() == pytest.approx(1e-3, rel=0.05) for layer in fresh)


def test_a_plain_head_in_its_place_stands_on_the_same_feature(wake, draw):
    model, clips = wake(tiny(3)), draw(4, 2, 3, 64, 32)
    with torch.no_grad():
        own = model(clips).metric
    model.head = Head(model.head.width, 3, neck="bn")
    assert model.preparation(torch.arange(3)) is None
    out = model.train()(clips)
    assert torch.allclose(out.metric, own, atol=1e-5)
    assert out.heads == ()
    assert out.logits.shape == (4, 3)
    out.logits.square().sum().backward()
    assert model.diffusion.message.weight.grad.any()


def test_without_classes_nothing_of_training_is_left():
    names = {name.split(".")[0] for name in tiny(cameras=2).state_dict()}
    assert names == {"tower", "diffusion", "camera"}
    extra = set(tiny(3).state_dict()) - set(tiny().state_dict())
    assert extra
    assert all(name.startswith("head.classifier.") for name in extra)


# ---- cameras -------------------------------------------------------------------------------------


def test_the_camera_of_a_clip_is_added_to_its_class_tokens(wake, draw):
    model, clips = wake(tiny(cameras=3)), draw(2, 2, 3, 64, 32)
    plain = wake(tiny())
    plain.load_state_dict({k: v for k, v in model.state_dict().items() if k != "camera"})
    cameras = torch.tensor([2, 0])
    with torch.no_grad():
        found = model(clips, cameras).embedding
        for b in range(2):
            alone = clips[b][None]
            plain.tower.cls_token.copy_(model.tower.cls_token + model.camera[cameras[b]])
            assert torch.allclose(found[b], plain(alone).embedding[0], atol=1e-4)


def test_without_a_camera_the_mean_row_is_taken(wake, draw):
    model, clips = wake(tiny(cameras=3)), draw(2, 2, 3, 64, 32)
    with torch.no_grad():
        found = model(clips).embedding
        model.camera.copy_(model.camera.mean(0).expand(3, -1))
        assert torch.allclose(model(clips, torch.tensor([1, 2])).embedding, found, atol=1e-5)


def test_cameras_that_do_not_fit_are_refused():
    clips = torch.zeros(2, 1, 3, 64, 32)
    with pytest.raises(ValueError, match="no camera embedding: build it with cameras=N"):
        tiny()(clips, torch.tensor([0, 1]))
    with pytest.raises(ValueError, match=r"shape \[3\], expected \[2\]"):
        tiny(cameras=4)(clips, torch.tensor([0, 1, 2]))
    with pytest.raises(ValueError, match="cameras is -1"):
        tiny(cameras=-1)


# ---- memory --------------------------------------------------------------------------------------


def test_the_memory_holds_projected_class_tokens_without_a_camera(draw):
    model, clips = tiny(2, cameras=3).double().eval(), draw(2, 3, 3, 64, 32).double()
    work = model.preparation(torch.tensor([1, 0]))
    work.add(clips, torch.tensor([0, 1]))
    work.finish()
    with torch.no_grad():
        tokens = model.tower.tokens(clips)[:, :, 0]  # nothing added
        vectors = (tokens @ model.tower.proj.weight.T).mean(1)
    assert torch.allclose(model.head.memory.rows, vectors[[1, 0]], atol=1e-10)


def test_training_against_the_memory_uses_its_prompts(draw):
    model, clips = prepared(tiny(3), 3, draw).double(), draw(2, 4, 3, 64, 32).double()
    without_dropout(model)
    with torch.no_grad():
        logits, tokens = model.train()(clips).heads[4].logits, model.tower.tokens(clips)
        patches = (tokens @ model.tower.proj.weight.T).mean(1)  # [B, N, D']
        memory = model.head.memory
        texts = memory.rows + memory.prompts(memory.rows, patches)
        f2 = patches[:, 0]
        expected = torch.stack([texts[b] @ f2[b] for b in range(2)])
    assert torch.allclose(logits, expected, atol=1e-6)


def test_the_memory_is_prepared_once_and_kept(draw):
    model = tiny(3)
    with pytest.raises(RuntimeError, match="build the method with memory=false"):
        model.train()(draw(2, 2, 3, 64, 32))
    assert len(model.eval()(draw(2, 2, 3, 64, 32)).heads) == 4  # retrieval needs none
    prepared(model, 3, draw)
    assert model.preparation(torch.arange(3)) is None
    again = tiny(3, seed=1)
    assert again.preparation(torch.arange(3)) is not None
    again.load_state_dict(model.state_dict())
    assert again.preparation(torch.arange(3)) is None
    assert torch.equal(again.head.memory.rows, model.head.memory.rows)


def test_without_a_memory_there_is_nothing_to_prepare():
    assert tiny(3, memory=False).preparation(torch.arange(3)) is None
    assert tiny().preparation(torch.arange(3)) is None


WITHOUT_EFFECT = {
    "diffusion.block.mlp.fc2.bias",  # one constant on every f₃, and on every frame
    "head.classifier.memory.prompts.out.0.bias",  # one constant on every person's prompt
    "head.classifier.memory.prompts.out.1.bias",
}


def test_every_parameter_of_every_head_is_trained(wake, draw):
    model, classes = wake(tiny(3, cameras=2)).train(), torch.tensor([0, 0, 1, 2])
    with torch.no_grad():  # transformers start near zero, and gradients are products of weights
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.copy_(draw(*parameter.shape) / parameter[0].numel() ** 0.5)
    model.head.memory.fill(draw(3, 42))
    loss = 0.0
    for head in model(draw(4, 3, 3, 64, 32)).heads:
        rows = classes.repeat_interleave(len(head.logits) // 4)
        loss = loss + head.cross_entropy * torch.nn.functional.cross_entropy(head.logits, rows)
        if head.metric is not None:
            loss = loss + head.triplet * torch.cdist(head.metric, head.metric)[0, 2]
    loss.backward()
    trained = {n: p for n, p in model.named_parameters() if p.requires_grad}
    sizes = {name: p.grad.square().mean().sqrt().item() for name, p in trained.items()}
    weak = {name for name, size in sizes.items() if size <= 1e-5 * max(sizes.values())}
    assert weak == WITHOUT_EFFECT


# ---- pictures, cost and golden -------------------------------------------------------------------


def test_attention_is_that_of_memories_over_frames_and_patches(wake, draw):
    model, clips = wake(tiny()), draw(2, 3, 3, 64, 32)
    maps = model.attention(clips)
    assert {name: list(m.shape) for name, m in maps.items()} == {
        "memory_pairs": [2, 3, 3],
        "memory_shares": [2, 3, 4, 2],
    }
    assert torch.allclose(maps["memory_pairs"].sum(2), torch.ones(2, 3))
    assert (
        maps["memory_shares"].sum((2, 3)) < 1
    ).all()  # the class token and the memory have the rest


def test_a_head_knows_its_width():
    assert TFCLIPHead((768, 512, 768), 0, memory=True).width == 2048


GOLDEN = [-1.02156, -1.49128, 0.29104, -1.9265, 0.06783, 0.02194, 0.41201]


def test_a_seed_gives_the_same_embedding_as_ever():
    model = tiny(seed=5, cameras=2).eval()
    clip = torch.randn(1, 4, 3, 64, 32, generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        found = model(clip, torch.tensor([1])).embedding[0, ::28]
    assert torch.allclose(found, torch.tensor(GOLDEN), atol=1e-4), found.tolist()


@pytest.mark.slow
def test_cost_at_full_size_is_that_of_the_arithmetic():
    found = count(tf_clip(), torch.zeros(1, 8, 3, 256, 128))
    assert found.params_m == pytest.approx(96.18, rel=5e-3)
    assert found.gmacs == pytest.approx(98.71, rel=5e-3)
    assert found.parts["tower"] + found.parts["diffusion"] == pytest.approx(found.gmacs)
