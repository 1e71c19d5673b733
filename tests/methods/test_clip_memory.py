"""CLIP-Memory: the pass that fills it, and the prompts against their equations."""

import pytest
import torch

from methods.clip_memory import CLIPMemory, MemoryPass, SequencePrompts

WIDTH, PERSONS = 12, 5


def linear(layer, x):
    return x @ layer.weight.T + (0 if layer.bias is None else layer.bias)


def norm(layer, x):
    centred = x - x.mean(-1, keepdim=True)
    scaled = centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()
    return scaled * layer.weight + layer.bias


def attend(layer, x, context):
    """[N, D] and [M, D], one head and one query after the other."""
    wide = x.shape[1] // layer.heads
    q, k, v = linear(layer.q, x), linear(layer.k, context), linear(layer.v, context)
    rows = []
    for i in range(len(x)):
        heads = []
        for h in range(layer.heads):
            part = slice(h * wide, (h + 1) * wide)
            logits = torch.stack([q[i, part] @ k[j, part] / wide**0.5 for j in range(len(k))])
            powers = (logits - logits.max()).exp()
            heads.append((powers[:, None] * v[:, part]).sum(0) / powers.sum())
        rows.append(torch.cat(heads))
    return linear(layer.proj, torch.stack(rows))


def prompts_by_hand(ssp, memory, patches):
    """One clip's prompts: memory [K, D], patches [N, D]."""
    text = linear(ssp.text[1], norm(ssp.text[0], memory))
    visual = norm(ssp.visual[2], linear(ssp.visual[1], norm(ssp.visual[0], patches)))
    for layer in ssp.layers:
        normed = norm(layer.norm1, text)
        text = text + attend(layer.among, normed, normed)
        text = text + attend(layer.to_clip, norm(layer.norm2, text), visual)
        hidden = linear(layer.mlp[0], norm(layer.norm3, text))
        text = text + linear(layer.mlp[3], hidden / (1 + (-1.702 * hidden).exp()))
    return linear(ssp.out[1], norm(ssp.out[0], text))


def awake(module, draw):
    """In evaluation and float64, with nothing at 0 or 1."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(draw(*parameter.shape) * 0.3 + (parameter.ndim == 1) * 0.5)
    return module.double().eval()


def test_prompts_are_the_equations_written_out(draw):
    ssp = awake(SequencePrompts(WIDTH), draw)
    memory, patches = draw(PERSONS, WIDTH).double(), draw(2, 7, WIDTH).double()
    with torch.no_grad():
        found = ssp(memory, patches)
        for b in range(2):
            expected = prompts_by_hand(ssp, memory, patches[b])
            assert torch.allclose(found[b], expected, atol=1e-10)
    assert not torch.allclose(found[0], found[1])


def test_logits_are_plain_dot_products_with_row_plus_prompt(draw):
    memory = awake(CLIPMemory(PERSONS, WIDTH), draw)
    memory.fill(draw(PERSONS, WIDTH))
    projected, patches = draw(2, WIDTH).double(), draw(2, 7, WIDTH).double()
    with torch.no_grad():
        found = memory(projected, patches)
        for b in range(2):
            rows = memory.rows + prompts_by_hand(memory.prompts, memory.rows, patches[b])
            expected = torch.stack([projected[b] @ row for row in rows])
            assert torch.allclose(found[b], expected, atol=1e-10)


def test_prompts_drop_a_tenth_in_training_alone(draw):
    ssp, memory, patches = SequencePrompts(WIDTH), draw(PERSONS, WIDTH), draw(1, 7, WIDTH)
    rates = [m.p for m in ssp.modules() if isinstance(m, torch.nn.Dropout)]
    assert rates == [0.1] * 8  # in each of two layers: two attentions, the MLP twice
    assert not torch.equal(ssp(memory, patches), ssp(memory, patches))
    assert torch.equal(ssp.eval()(memory, patches), ssp(memory, patches))


def test_heads_are_eight_or_the_most_that_divide_the_width():
    assert [SequencePrompts(w).layers[0].among.heads for w in (16, 42, 12)] == [8, 7, 6]


def test_parameters_at_full_size_are_those_of_the_arithmetic():
    with torch.device("meta"):
        ssp = SequencePrompts(512)
    count = sum(p.numel() for p in ssp.parameters())
    assert count + 3 * 512 == 9_195_520  # with a scale and a norm that the code never uses


# ---- the pass over the training tracklets --------------------------------------------------------

LENGTHS = (2, 1, 3, 1, 1)  # clips of each tracklet
CLASSES = torch.tensor([1, 0, 0, 2, 1])


def clips_of(draw):
    """Vectors stand for clips here: the encoder of these tests is the identity."""
    rows = torch.repeat_interleave(torch.arange(5), torch.tensor(LENGTHS))
    return draw(len(rows), WIDTH), rows


def run(memory, clips, rows, batch=3, stop=None, state=None):
    work = MemoryPass(memory, lambda clips: clips, CLASSES)
    if state is not None:
        work.load_state_dict(state)
    for start in range(work.done, len(clips) if stop is None else stop, batch):
        work.add(clips[start : start + batch], rows[start : start + batch])
    return work


def test_a_row_is_the_mean_over_tracklets_of_the_mean_over_clips(draw):
    memory, (clips, rows) = CLIPMemory(3, WIDTH), clips_of(draw)
    run(memory, clips, rows).finish()
    vectors = [clips[rows == n].mean(0) for n in range(5)]
    for person in range(3):
        own = [vectors[n] for n in range(5) if CLASSES[n] == person]
        assert torch.allclose(memory.rows[person], sum(own) / len(own), atol=1e-6)
    weighted = clips[torch.isin(rows, torch.tensor([1, 2]))].mean(0)  # tracklets by their clips
    assert not torch.allclose(memory.rows[0], weighted, atol=1e-3)
    assert (memory.rows.norm(dim=1) - 1).abs().min() > 1e-3  # not normalised


def test_a_pass_that_was_killed_goes_on_to_the_same_bits(draw, tmp_path):
    (clips, rows), whole, other = clips_of(draw), CLIPMemory(3, WIDTH), CLIPMemory(3, WIDTH)
    run(whole, clips, rows).finish()
    torch.save(run(other, clips, rows, stop=6).state_dict(), tmp_path / "state.pt")
    state = torch.load(tmp_path / "state.pt", weights_only=True)
    rest = run(other, clips, rows, state=state)
    assert rest.done == len(clips)
    rest.finish()
    assert torch.equal(whole.rows, other.rows)


def test_a_pass_that_is_not_over_cannot_be_finished(draw):
    clips, rows = clips_of(draw)
    with pytest.raises(ValueError, match="tracklet 3 of 5 has had no clip"):
        run(CLIPMemory(3, WIDTH), clips, rows, stop=6).finish()


def test_every_person_needs_a_tracklet():
    with pytest.raises(ValueError, match=r"3 classes from 0 to 2, expected each of 0\.\.3"):
        MemoryPass(CLIPMemory(4, WIDTH), torch.nn.Identity(), CLASSES)


def test_an_empty_memory_is_no_loss(draw):
    memory = CLIPMemory(3, WIDTH)
    with pytest.raises(RuntimeError, match="CLIP-Memory is empty"):
        memory(draw(2, WIDTH), draw(2, 7, WIDTH))


def test_rows_are_saved_and_are_no_parameter(draw):
    memory, again = CLIPMemory(3, WIDTH), CLIPMemory(3, WIDTH)
    memory.fill(draw(3, WIDTH))
    again.load_state_dict(memory.state_dict())
    assert again.filled
    assert torch.equal(again.rows, memory.rows)
    assert "rows" not in dict(memory.named_parameters())
    empty = CLIPMemory(3, WIDTH)
    empty.load_state_dict(CLIPMemory(3, WIDTH).state_dict())
    assert not empty.filled
