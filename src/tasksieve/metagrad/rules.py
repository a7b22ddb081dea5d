"""Optimiser rules as pure functions of parameter dicts, with the derivative of one step in both directions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from tasksieve.metagrad.inner_rule import Cotangents, Gradients, Moments, Params, State, Tangents


@dataclass(frozen=True, slots=True)
class Sgd:
    r"""Gradient descent, :math:`m ← μ m + g, θ' = θ - β m`; without momentum :math:`θ' = θ - β g` (Eq. 7).

    Attributes:
        lr: β.
        momentum: μ, as in ``torch.optim.SGD`` without dampening.
    """

    lr: float
    momentum: float = 0.0

    def step(self, params: Params, gradients: Gradients, state: State) -> tuple[Params, State]:
        """One step; without momentum the state stays as it is."""
        moved: Params = {}
        moments = dict(state)
        for name, value in params.items():
            gradient = gradients[name]
            if gradient is None:
                moved[name] = value
                continue
            if self.momentum:
                before = state.get(name)
                mean = gradient if before is None else self.momentum * before.mean + gradient
                moments[name] = Moments(mean, None, 1 if before is None else before.steps + 1)
                gradient = mean
            moved[name] = torch.add(value, gradient, alpha=-self.lr)
        return moved, moments

    def pullback(self, gradients: Gradients, after: State, cotangents: Cotangents) -> tuple[Params, Cotangents]:
        """-β λ for the gradients, and with momentum μ times that for the buffer before."""
        of_gradients: Params = {}
        means = dict(cotangents.means)
        for name, value in cotangents.params.items():
            if gradients[name] is not None:
                of_gradients[name] = value * -self.lr
                if self.momentum:
                    if name in means:
                        of_gradients[name].add_(means[name])
                    means[name] = of_gradients[name] * self.momentum
        return of_gradients, Cotangents(cotangents.params, means, {})

    def pushforward(self, gradients: Gradients, after: State, of_gradients: Params, tangents: Tangents) -> Tangents:
        """The tangent of the buffer is μ times the one before plus the gradient's; that times -β goes to θ."""
        params, means = dict(tangents.params), dict(tangents.means)
        for name, moved in of_gradients.items():
            if self.momentum:
                means[name] = moved = _plus(moved, means.get(name), self.momentum)
            params[name] = _plus(moved * -self.lr, params.get(name), 1.0)
        return Tangents(params, means, {})

    def preconditioner(self, params: Params, state: State) -> Params:
        """β / (1 - μ)."""
        return {name: torch.full_like(value, self.lr / (1 - self.momentum)) for name, value in params.items()}


@dataclass(frozen=True, slots=True)
class Adam:
    r"""Adam with a term under the root, so that its derivative exists where a gradient is zero.

    .. math:: m ← b_1 m + (1-b_1) g, \quad v ← b_2 v + (1-b_2) g^2, \quad
       θ' = (1 - βδ) θ - β \frac{m / (1-b_1^t)}{\sqrt{v / (1-b_2^t) + ε_{root}} + ε}

    Attributes:
        lr: β.
        betas: :math:`b_1, b_2`.
        eps: ε.
        eps_root: :math:`ε_{root}`; with 0 the step is exactly that of ``torch.optim.Adam``, but its derivative is
            not finite where v = 0 (as for words a batch does not use).
        weight_decay: δ, decoupled, as in ``torch.optim.AdamW``.

    Reference: Kingma & Ba, 2015; Loshchilov & Hutter, 2019.
    """

    lr: float
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    eps_root: float = 1e-12
    weight_decay: float = 0.0

    def step(self, params: Params, gradients: Gradients, state: State) -> tuple[Params, State]:
        """One step."""
        moved: Params = {}
        moments = dict(state)
        for name, value in params.items():
            gradient = gradients[name]
            if gradient is None:
                moved[name] = value
                continue
            moments[name] = after = self._moments(gradient, state.get(name))
            root, shares = self._root(after)
            start = value * (1 - self.lr * self.weight_decay) if self.weight_decay else value
            moved[name] = torch.addcdiv(start, after.mean, root + self.eps, value=-self.lr / shares[0])
        return moved, moments

    def pullback(self, gradients: Gradients, after: State, cotangents: Cotangents) -> tuple[Params, Cotangents]:
        """The derivative of the formula above, transposed."""
        first, second = self.betas
        of_gradients: Params = {}
        params = dict(cotangents.params)
        means, squares = dict(cotangents.means), dict(cotangents.squares)
        for name, value in cotangents.params.items():
            gradient = gradients[name]
            if gradient is None:
                continue
            root, shares = self._root(after[name])
            divisor = root + self.eps
            of_mean = torch.div(value, divisor).mul_(-self.lr / shares[0])
            of_square = torch.mul(of_mean, after[name].mean).div_(divisor.mul_(root)).mul_(-0.5 / shares[1])
            if name in means:
                of_mean += means[name]
                of_square += squares[name]
            of_gradients[name] = (of_mean * (1 - first)).addcmul_(of_square, gradient, value=2 * (1 - second))
            means[name], squares[name] = of_mean.mul_(first), of_square.mul_(second)
            if self.weight_decay:
                params[name] = value * (1 - self.lr * self.weight_decay)
        return of_gradients, Cotangents(params, means, squares)

    def pushforward(self, gradients: Gradients, after: State, of_gradients: Params, tangents: Tangents) -> Tangents:
        """The derivative of the formula above."""
        first, second = self.betas
        params, means, squares = dict(tangents.params), dict(tangents.means), dict(tangents.squares)
        for name, moved in of_gradients.items():
            gradient = gradients[name]
            assert gradient is not None
            root, shares = self._root(after[name])
            mean = after[name].mean / shares[0]
            of_mean = means[name] = _plus(moved * (1 - first), means.get(name), first)
            of_square = _plus(moved * gradient * (2 * (1 - second)), squares.get(name), second)
            squares[name] = of_square
            of_root = of_square / (2 * shares[1]) / root
            step = (of_mean / shares[0] - mean / (root + self.eps) * of_root) / (root + self.eps)
            params[name] = _plus(step * -self.lr, params.get(name), 1 - self.lr * self.weight_decay)
        return Tangents(params, means, squares)

    def preconditioner(self, params: Params, state: State) -> Params:
        r""":math:`β / (\sqrt{v / (1-b_2^t) + ε_{root}} + ε)`, and 0 where v is."""
        found: Params = {}
        for name in params.keys() & state.keys():
            moments = state[name]
            square = moments.square
            assert square is not None
            root, _ = self._root(moments)
            scale = root.add_(self.eps).reciprocal_().mul_(self.lr)
            # where the scale is finite whatever v is, a sign does what a comparison does in many times as long
            finite = self.eps * torch.finfo(scale.dtype).max > 1e8
            found[name] = scale.mul_(square.sign()) if finite else scale.masked_fill_(square == 0, 0.0)
        return found

    def _moments(self, gradient: Tensor, before: Moments | None) -> Moments:
        first, second = self.betas
        if before is None or before.square is None:
            before = Moments(torch.zeros_like(gradient), torch.zeros_like(gradient), 0)
        assert before.square is not None
        return Moments(
            mean=torch.lerp(before.mean, gradient, 1 - first),
            square=torch.mul(before.square, second).addcmul_(gradient, gradient, value=1 - second),
            steps=before.steps + 1,
        )

    def _root(self, moments: Moments) -> tuple[Tensor, tuple[Any, Any]]:
        """The root of the unbiased square, and by what mean and square are divided to be unbiased."""
        assert moments.square is not None
        shares = 1 - self.betas[0] ** moments.steps, 1 - self.betas[1] ** moments.steps
        return moments.square.div(shares[1]).add_(self.eps_root).sqrt_(), shares


@dataclass(frozen=True, slots=True)
class Scaled:
    r"""Gradient descent with a step size for each number, :math:`θ' = θ - β_j g_j`.

    With the sizes of Adam's present steps (:meth:`Adam.preconditioner`) it is Adam with its moments held. Adam's own
    step hardly grows with a gradient that is the first one in long, as of a word that is rare: it divides by that
    very gradient. What such an example does over many steps is told by the held sizes.

    Attributes:
        scales: :math:`β_j`, by name; a name that is missing stays as it is.
    """

    scales: Params

    def step(self, params: Params, gradients: Gradients, state: State) -> tuple[Params, State]:
        """One step; the state stays as it is."""
        moved = {
            name: value
            if gradients[name] is None or name not in self.scales
            else torch.addcmul(value, self.scales[name], gradients[name], value=-1.0)  # type: ignore[arg-type]
            for name, value in params.items()
        }
        return moved, dict(state)

    def pullback(self, gradients: Gradients, after: State, cotangents: Cotangents) -> tuple[Params, Cotangents]:
        """-β λ for the gradients."""
        of_gradients = {
            name: -self.scales[name] * value
            for name, value in cotangents.params.items()
            if gradients[name] is not None and name in self.scales
        }
        return of_gradients, Cotangents(cotangents.params, dict(cotangents.means), dict(cotangents.squares))

    def pushforward(self, gradients: Gradients, after: State, of_gradients: Params, tangents: Tangents) -> Tangents:
        """The gradient's tangent times -β goes to θ."""
        params = dict(tangents.params)
        for name, moved in of_gradients.items():
            if name in self.scales:
                params[name] = _plus(-self.scales[name] * moved, params.get(name), 1.0)
        return Tangents(params, dict(tangents.means), dict(tangents.squares))

    def preconditioner(self, params: Params, state: State) -> Params:
        """β."""
        return dict(self.scales)


def _plus(value: Tensor, more: Tensor | None, times: float) -> Tensor:
    return value if more is None else torch.add(value, more, alpha=times)
