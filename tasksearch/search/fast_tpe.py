"""Optuna's multivariate, grouped TPE over a history kept as arrays: the same draws, bit for bit, without a study of it.

Optuna walks the whole history once per group of parameters, and a study in memory copies and checks every trial that is added.
Here the history is read into one column per parameter, once for all proposals; Parzen estimators, candidates and their
comparison are Optuna's own.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import optuna
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import TPESampler
from optuna.samplers._tpe import _truncnorm
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator
from optuna.samplers._tpe.probability_distributions import _BatchedCategoricalDistributions
from optuna.samplers._tpe.sampler import default_gamma
from optuna.search_space.group_decomposed import _SearchSpaceGroup
from optuna.trial import FrozenTrial, TrialState

Params = tuple[tuple[str, Any], ...]
Distributions = Mapping[str, BaseDistribution]
_FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


class Columns:
    """Internal representations of the parameters of a growing list of trials, one column each; NaN where there is none.

    Args:
        distributions_of: parameters of a trial → distributions of those that vary.
    """

    def __init__(self, distributions_of: Callable[[Params], Distributions]) -> None:
        self._distributions_of = distributions_of
        self._rows: list[Params] = []
        self._values: dict[str, npt.NDArray[np.float64]] = {}
        self.distributions: list[Distributions] = []
        self.kinds: list[frozenset[str]] = []
        self._same_kind: dict[frozenset[str], frozenset[str]] = {}
        self._divided: list[frozenset[str]] = []
        self._groups = _SearchSpaceGroup()

    def take(self, rows: Sequence[Params]) -> None:
        """Bring the columns in line with a list of trials; the rows that are the same objects as before stay."""
        same = min(len(rows), len(self._rows))
        if not all(map(operator.is_, rows, self._rows)):
            same = next(i for i in range(same) if rows[i] is not self._rows[i])
        for column in self._values.values():
            column[same : len(self._rows)] = np.nan
        for held in (self._rows, self.distributions, self.kinds):
            del held[same:]
        for place, row in enumerate(rows[same:], same):
            found, given = self._distributions_of(row), dict(row)
            for name, distribution in found.items():
                self._column(name, len(rows))[place] = distribution.to_internal_repr(given.get(name, False))
            self._rows.append(row)
            self.distributions.append(found)
            self.kinds.append(self._same_kind.setdefault(kind := frozenset(found), kind))  # one object is found faster

    def of(self, name: str) -> npt.NDArray[np.float64]:
        """Return the values of a parameter, one per trial."""
        return self._column(name, len(self._rows))[: len(self._rows)]

    def groups(self, rows: Sequence[int]) -> _SearchSpaceGroup:
        """Return Optuna's groups of the parameters of these trials, in its order; what the last call found is continued."""
        first: dict[frozenset[str], int] = {}
        for row in rows:  # a set of parameters that came before divides no group
            if self.kinds[row] not in first:
                first[self.kinds[row]] = row
        kinds = list(first)
        if kinds[: len(self._divided)] != self._divided:
            self._divided, self._groups = [], _SearchSpaceGroup()
        for kind in kinds[len(self._divided) :]:
            self._groups.add_distributions(dict(self.distributions[first[kind]]))
        self._divided = kinds
        return self._groups

    def _column(self, name: str, size: int) -> npt.NDArray[np.float64]:
        column = self._values.get(name)
        if column is None or len(column) < size:
            longer = np.full(max(64, 2 * size), np.nan)
            if column is not None:
                longer[: len(column)] = column
            self._values[name] = column = longer
        return column


class _Estimator(_ParzenEstimator):  # type: ignore[misc]
    """Optuna's estimator, with its densities computed without what is computed twice: the same operations, the same bits."""

    def log_pdf(self, samples_dict: dict[str, npt.NDArray[Any]]) -> npt.NDArray[np.float64]:
        """Return the logarithm of the density at each sample, shape (samples,)."""
        mixture, samples = self._mixture_distribution, self._transform(samples_dict)
        if all(isinstance(one, _BatchedCategoricalDistributions) or one.step for one in mixture.distributions):
            samples, again = np.unique(samples, axis=0, return_inverse=True)
            return self._of_choices(samples)[again.reshape(-1)]
        if len(mixture.distributions) == 1:
            return self._of_number(samples[:, 0])
        return super().log_pdf(samples_dict)  # type: ignore[no-any-return]

    def _of_choices(self, samples: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the logarithm at different samples; of parameters with choices alone each choice's is taken once per trial."""
        mixture = self._mixture_distribution
        if not all(isinstance(one, _BatchedCategoricalDistributions) for one in mixture.distributions):
            return mixture.log_pdf(samples)  # type: ignore[no-any-return]
        weighted = np.zeros((len(samples), len(mixture.weights)))
        for column, one in zip(samples.astype(np.int64).T, mixture.distributions, strict=True):
            logs = np.log(one.weights.T)
            weighted += logs[column]
        return _summed(weighted, mixture.weights)

    def _of_number(self, samples: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the logarithm at samples of one continuous parameter, in one table of (samples, trials)."""
        mixture = self._mixture_distribution
        [one] = mixture.distributions
        low, high = (one.adapted_low - one.mu) / one.sigma, (one.adapted_high - one.mu) / one.sigma
        away = np.log(samples)[:, np.newaxis] - one.mu if one.is_log else samples[:, np.newaxis] - one.mu
        away /= one.sigma
        outside = (away < low) | (away > high)
        np.multiply(away, away, out=away)
        np.negative(away, out=away)
        away /= 2.0
        away -= _truncnorm._norm_pdf_logC
        away -= _truncnorm._log_gauss_mass(low, high)
        away -= np.log(one.sigma)
        away[outside] = -np.inf
        return _summed(away, mixture.weights)


def _summed(weighted: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the logarithm of the sum over trials of what has these logarithms, (samples, trials), which is written over."""
    weighted += np.log(weights[np.newaxis])
    most = weighted.max(axis=1)
    most[np.isneginf(most)] = 0.0  # a sample that rounding put outside
    weighted -= most[:, np.newaxis]
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.exp(weighted, out=weighted).sum(axis=1)) + most)


class FastTPE(TPESampler):  # type: ignore[misc]
    """Optuna's TPESampler with `multivariate`, `group` and `constant_liar`, which reads its history from columns.

    Args:
        columns: parameters of the history, in the order of the trials.
        states: COMPLETE, PRUNED, FAIL or RUNNING of each.
        values: of each complete trial; larger is better.
        asked: parameters of draws that were not taken; they count as running trials behind the others.

    Attributes:
        relative: what was drawn for all groups of parameters together.
    """

    def __init__(
        self,
        seed: int,
        columns: Columns,
        states: Sequence[TrialState],
        values: Sequence[float | None],
        asked: Sequence[Mapping[str, Any]],
    ) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)  # `group` is experimental, and meant
            super().__init__(multivariate=True, group=True, constant_liar=True, seed=seed)
        self._columns, self._asked = columns, asked
        self._finished = [i for i, state in enumerate(states) if state in _FINISHED]
        self._below, self._above = _split(states, values, default_gamma(len(self._finished)))
        self.relative: dict[str, Any] = {}

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return the parameters that finished trials have, by groups that always occur together."""
        space = self._search_space_group = self._columns.groups(self._finished)
        return {
            name: distribution
            for group in space.search_spaces
            for name, distribution in sorted(group.items())
            if not distribution.single()
        }

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Draw a value for every parameter of the groups, and remember them for draws that are not taken."""
        self.relative = super().sample_relative(study, trial, search_space)
        return self.relative

    def _sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        enough = search_space and len(self._finished) >= self._n_startup_trials
        return self._sample(study, trial, search_space) if enough else {}

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Draw a parameter that no finished trial has, or any while the history is short."""
        if len(self._finished) < self._n_startup_trials:
            return self._random_sampler.sample_independent(study, trial, param_name, param_distribution)
        return self._sample(study, trial, {param_name: param_distribution})[param_name]

    def _sample(self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]) -> dict[str, Any]:
        below = self._estimator(search_space, self._below, ())
        above = self._estimator(search_space, self._above, self._asked)
        candidates = below.sample(self._rng.rng, self._n_ei_candidates)
        drawn = self._compare(candidates, self._compute_acquisition_func(candidates, below, above))
        return {name: distribution.to_external_repr(drawn[name]) for name, distribution in search_space.items()}

    def _estimator(
        self, search_space: dict[str, BaseDistribution], rows: npt.NDArray[np.int64], asked: Sequence[Mapping[str, Any]]
    ) -> _Estimator:
        values = {name: self._columns.of(name)[rows] for name in search_space}
        there = np.logical_and.reduce([~np.isnan(column) for column in values.values()])
        extra = [params for params in asked if search_space.keys() <= params.keys()]
        seen = {
            name: np.append(column[there], [search_space[name].to_internal_repr(params[name]) for params in extra])
            for name, column in values.items()
        }
        return _Estimator(seen, search_space, self._parzen_estimator_parameters)


def _split(
    states: Sequence[TrialState], values: Sequence[float | None], most: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the places of at most `most` trials below and of all others above: complete ones by value, then pruned ones."""
    codes = np.array([_CODES[state] for state in states], dtype=np.int64)
    complete = np.flatnonzero(codes == _CODES[TrialState.COMPLETE])
    gained = np.array([float(values[i] or 0.0) for i in complete.tolist()], dtype=np.float64)
    ended = np.concatenate([complete[np.argsort(-gained, kind="stable")], np.flatnonzero(codes == _CODES[TrialState.PRUNED])])
    running = np.flatnonzero(codes == _CODES[TrialState.RUNNING])
    return np.sort(ended[:most]), np.sort(np.concatenate([ended[most:], running]))


_CODES = {state: code for code, state in enumerate(TrialState)}
