"""Learned example weights for a model and a weight module of your own: nothing here is a dialog.

python examples/own_model.py

Three quarters of the related examples have wrong labels. The weight module sees input and label, and
learns which ones.
"""

import torch
from torch import nn
from torch.func import functional_call

from tasksieve.metagrad import BilevelProblem, MetaUpdate, OneStep, Sgd, Simulation


def draw(count: int, wrong: float, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Points, their labels, and whether the label is right."""
    points = torch.randn(count, 2, generator=generator)
    truth = (points[:, 0] > 0).long() + 2 * (points[:, 1] > 0).long()
    right = torch.rand(count, generator=generator) >= wrong
    return points, torch.where(right, truth, (truth + 1) % 4), right


def main(iterations: int = 1000) -> float:
    """Train and return the accuracy on fresh points, in per cent."""
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 4))
    module = nn.Sequential(nn.Linear(6, 32), nn.Tanh(), nn.Linear(32, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    weight_optimizer = torch.optim.Adam(module.parameters(), lr=0.03)

    def losses(params, batch):
        return nn.functional.cross_entropy(functional_call(model, params, (batch[0],)), batch[1], reduction="none")

    def weights(weight_params, batches):
        seen = [torch.cat([x, nn.functional.one_hot(y, 4).float()], 1) for x, y in batches]
        return [torch.sigmoid(functional_call(module, weight_params, (inputs,))[:, 0]) for inputs in seen]

    problem, estimate = BilevelProblem(losses, losses, weights), OneStep()
    primary, related = draw(60, 0.0, generator)[:2], draw(2000, 0.75, generator)
    for _ in range(iterations):
        picked = [torch.randint(2000, (256,), generator=generator) for _ in range(1)]
        batches = [(related[0][rows], related[1][rows]) for rows in picked]
        simulation = Simulation(dict(model.named_parameters()), batches, primary)
        result = estimate(MetaUpdate(problem, Sgd(5.0), simulation, dict(module.named_parameters())))
        for name, value in module.named_parameters():
            value.grad = result.gradients[name]
        weight_optimizer.step()
        optimizer.zero_grad()
        params = dict(model.named_parameters())
        (result.example_weights[0] * losses(params, batches[0])).mean().backward()
        optimizer.step()
    points, truth, _ = draw(4000, 0.0, generator)
    accuracy = 100 * float((model(points).argmax(1) == truth).float().mean())
    (learned,) = weights(dict(module.named_parameters()), [related[:2]])
    right, wrong = learned[related[2]].mean(), learned[~related[2]].mean()
    print(f"accuracy {accuracy:.1f} %, mean weight right {right:.2f}, wrong {wrong:.2f}")
    return accuracy


if __name__ == "__main__":
    main()
