"""train_peft.py -- LoRA steps by PyTorch and PEFT, for train_peft.sh.

    train_peft.py STEPS SEQ BATCH RANK

A decoder of SmolLM2-135M's shape with random weights in bf16 (speed does not depend on
them), all linear layers adapted, AdamW, the mean loss of random tokens. The first step
warms up and is not counted. Prints JSON: {"tok_per_s", "peak_mb", "torch", "peft"}."""
import json, resource, sys, time

import peft, torch, transformers


def main():
    steps, seq, batch, rank = map(int, sys.argv[1:5])
    config = transformers.LlamaConfig(
        vocab_size=49152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30,
        num_attention_heads=9, num_key_value_heads=3, max_position_embeddings=8192,
        tie_word_embeddings=True, bos_token_id=1, eos_token_id=2)
    torch.manual_seed(0)
    model = transformers.LlamaForCausalLM(config).to(torch.bfloat16)
    model = peft.get_peft_model(model, peft.LoraConfig(
        r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM"))
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=5e-4)
    begun = 0.0
    for step in range(steps + 1):
        if step == 1:
            begun = time.perf_counter()
        tokens = torch.randint(3, 49152, (batch, seq))
        model(input_ids=tokens, labels=tokens).loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()
    took = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"tok_per_s": steps * seq * batch / took, "peak_mb": peak,
                      "torch": torch.__version__, "peft": peft.__version__}))


main()
