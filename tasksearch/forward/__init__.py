"""One forward pass of any kind of task: items → padded batch → logits or loss. Training and evaluation share it."""
