"""train_exact.py -- loss and derivatives of one row by PyTorch and PEFT, for train_exact.sh.

    train_exact.py MODEL.gguf FOLDER

FOLDER is what bench_train wrote: the row, the adapters and our derivatives. The base is the
same file, read by transformers; the adapters are set to the same numbers. In f32 the
largest difference of any tensor, by that tensor's largest derivative, must stay below 1e-3,
and the loss within 1e-5 of itself. As both train, PEFT in bf16 and we with frozen weights in
8 bits where the CPU can, both are compared with PEFT's f32: by the length of the difference,
by that of the derivative."""
import json, os, sys

import numpy, peft, torch, transformers

GROUPS = (("self_attn", ("q_proj", "k_proj", "v_proj")), ("self_attn", ("o_proj",)),
          ("mlp", ("gate_proj", "up_proj")), ("mlp", ("down_proj",)))


def places(model, rank):
    """Names and shapes in the order of our flat array: A of a group, then B turned."""
    for i, layer in enumerate(model.base_model.model.model.layers):
        for part, names in GROUPS:
            for kind in "AB":
                for name in names:
                    linear = getattr(getattr(layer, part), name)
                    lora = (linear.lora_A if kind == "A" else linear.lora_B)["default"]
                    yield f"{i}.{name}.{kind}", name, kind, lora.weight


def unpermute(x, heads):
    """Rows of llama's queries and keys: (2i, 2i + 1) as GGUF has them to (i, i + n / 2)."""
    n = x.shape[0] // heads // 2
    return x.reshape(heads, n, 2, -1).swapaxes(1, 2).reshape(x.shape)


def split(flat, model, row):
    """Our flat array as PEFT's tensors."""
    config, at, out = model.config, 0, {}
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    for key, name, kind, weight in places(model, row["rank"]):
        n = weight.numel()
        piece = flat[at:at + n]
        at += n
        if kind == "A":
            out[key] = piece.reshape(weight.shape)
            continue
        piece = piece.reshape(row["rank"], -1).T
        if row["arch"] == "llama" and name in heads:
            piece = unpermute(piece, heads[name])
        out[key] = piece
    assert at == flat.size, (at, flat.size)
    return out


def load(path, row, dtype):
    folder, name = os.path.split(os.path.abspath(path))
    model = transformers.AutoModelForCausalLM.from_pretrained(
        folder, gguf_file=name, dtype=dtype, attn_implementation="eager")
    model = peft.get_peft_model(model, peft.LoraConfig(
        r=row["rank"], lora_alpha=row["scale"] * row["rank"], target_modules=[
            n for _, names in GROUPS for n in names], task_type="CAUSAL_LM"),
        autocast_adapter_dtype=False)
    return model


def derive(model, row, p):
    """The summed loss of the row, and its derivatives by name."""
    for key, _, _, weight in places(model, row["rank"]):
        weight.data = torch.from_numpy(p[key].copy()).to(weight.dtype)
    loss = 0.0
    for begin, end in zip(row["begin"], row["begin"][1:]):
        token = torch.tensor([row["token"][begin:end]])
        learn = torch.tensor(row["learn"][begin:end]).bool()[1:]
        logits = model(input_ids=token).logits[0, :-1].float()
        each = torch.nn.functional.cross_entropy(logits, token[0, 1:], reduction="none")
        part = each[learn].sum()
        part.backward()
        loss += part.item()
    return loss, {key: w.grad.float().numpy() for key, _, _, w in places(model, row["rank"])}


def off(a, b):
    """Length of a - b by that of b, over all tensors."""
    d = sum(float(((a[k] - b[k]).astype("f8") ** 2).sum()) for k in b)
    return (d / sum(float((b[k].astype("f8") ** 2).sum()) for k in b)) ** 0.5


def main():
    path, folder = sys.argv[1:3]
    with open(f"{folder}/row.json") as f:
        row = json.load(f)
    flat = {n: numpy.fromfile(f"{folder}/{n}.f32", "<f4") for n in ("p", "exact", "trained")}
    model = load(path, row, torch.float32)
    ours = {n: split(x, model, row) for n, x in flat.items()}
    loss, want = derive(model, row, ours["p"])
    worst, where = max((float(abs(ours["exact"][k] - g).max() / abs(g).max()), k)
                       for k, g in want.items())
    apart = abs(loss - row["loss"]) / loss
    print(f"f32: loss {loss:.6f}, ours {row['loss']:.6f} ({apart:.1e} apart); {len(want)} "
          f"tensors, largest difference {worst:.1e} of a tensor's largest ({where}), "
          f"{off(ours['exact'], want):.1e} of the length")
    del model
    _, theirs = derive(load(path, row, torch.bfloat16), row, ours["p"])
    print(f"as trained: PEFT's bf16 {off(theirs, want):.1e} of the length from its f32, ours "
          f"{off(ours['trained'], want):.1e}")
    if not (apart < 1e-5 and worst < 1e-3):
        sys.exit("train_exact: the two do not agree")


main()
