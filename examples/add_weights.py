"""An ordinary PyTorch loop with learned example weights added: the lines marked ``# +`` are all that is new.

python examples/add_weights.py

Points of four clusters, labelled by eight annotators of whom six are always wrong. Which ones is not known, but forty
points have labels that can be relied on: the weights learn from them whom to believe.
"""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from tasksieve.metagrad import ExampleWeights  # +

CENTRES = torch.tensor([[2.0, 0.0], [0.0, 2.0], [-2.0, 0.0], [0.0, -2.0]])
RELIABLE = 2


def draw(count: int, annotators: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Points, their labels, and who gave them; only the first annotators are right."""
    truth, annotator = torch.randint(4, (count,)), torch.randint(annotators, (count,))
    points = CENTRES[truth] + 0.7 * torch.randn(count, 2)
    return points, torch.where(annotator < RELIABLE, truth, (truth + 1) % 4), annotator


def losses(model: nn.Module, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """One loss an example."""
    return nn.functional.cross_entropy(model(batch[0]), batch[1], reduction="none")


def train(epochs: int, weighted: bool) -> float:
    """Learn from the related data; return the accuracy on fresh points, in per cent."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 4))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    related = draw(2000, annotators=8)
    primary = draw(40, annotators=RELIABLE)
    loader = DataLoader(TensorDataset(*related), batch_size=100, shuffle=True)
    module = nn.Embedding(8, 1)  # +
    sieve = ExampleWeights(  # +
        model,  # +
        losses,  # +
        module,  # +
        optimizer=optimizer,  # +
        logits=lambda module, batch: module(batch[2]),  # +
        weight_lr=0.1,  # +
    )  # +
    for _ in range(epochs):
        for batch in loader:
            each = losses(model, batch)
            if weighted:  # +
                sieve.update([batch], primary)  # +
                each = sieve.weights(batch) * each  # +
            optimizer.zero_grad()
            each.mean().backward()
            optimizer.step()
    if weighted:  # +
        weights, right = sieve.weights(related), related[2] < RELIABLE  # +
        print(f"mean weight right {weights[right].mean():.2f}, wrong {weights[~right].mean():.2f}")  # +
    points, truth, _ = draw(4000, annotators=RELIABLE)
    return 100 * float((model(points).argmax(1) == truth).float().mean())


def main(epochs: int = 15) -> None:
    """Print what the weights change."""
    print(f"accuracy without weights {train(epochs, weighted=False):.1f} %")
    print(f"accuracy with weights {train(epochs, weighted=True):.1f} %")  # +


if __name__ == "__main__":
    main()
