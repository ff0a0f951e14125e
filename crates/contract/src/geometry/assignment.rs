//! Who belongs to whom at the least total cost.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// A pair that may be: a row, a column, and what it costs.
pub type Pair = (usize, usize, f64);

/// Assigns rows to columns so that as many as possible have one and the total cost is least; see [`assign_pairs`].
///
/// `cost` has one row per left item, all of the same length. A cost that is not finite forbids a pair; a row stays
/// free (`None`) when there are fewer columns than rows or only forbidden pairs are left for it.
pub fn assign(cost: &[Vec<f64>]) -> Vec<Option<usize>> {
    let columns = cost.first().map_or(0, Vec::len);
    let row_pairs = |(row, costs): (usize, &Vec<f64>)| -> Vec<Pair> {
        costs.iter().enumerate().map(|(column, cost)| (row, column, *cost)).collect()
    };
    let pairs: Vec<Pair> = cost.iter().enumerate().flat_map(row_pairs).collect();
    assign_pairs(cost.len(), columns, &pairs, f64::INFINITY)
}

/// Assigns `rows` to `columns` by the pairs that may be, each named once, so that the total cost is least: shortest
/// augmenting paths with potentials (Jonker and Volgenant, Computing 38, 1987), searched from pair to pair with a heap.
/// What no chain of pairs connects costs nothing to keep apart, so the work grows with the pairs that may be, and with
/// how far an exchange reaches, and not with the cube of the rows.
///
/// A row that stays free (`None`) costs `free_cost`; where that is infinite, as few as possible stay free. Pairs of
/// costs that are not finite are forbidden. Of equal totals the one that leaves earlier rows with what they have is
/// taken, and of equal columns the first.
pub fn assign_pairs(rows: usize, columns: usize, pairs: &[Pair], free_cost: f64) -> Vec<Option<usize>> {
    assign_pairs_within(rows, columns, pairs, free_cost, u64::MAX)
}

/// As [`assign_pairs`], for those who cannot wait: once pairs were looked at so many times, each row that is left takes the
/// cheapest column that is still free. Among a thousand that may all be each other the best total takes seconds.
pub fn assign_pairs_within(
    rows: usize,
    columns: usize,
    pairs: &[Pair],
    free_cost: f64,
    looks_max: u64,
) -> Vec<Option<usize>> {
    let mut ways: Vec<Vec<(usize, f64)>> = vec![Vec::new(); rows];
    for &(row, column, cost) in pairs.iter().filter(|pair| pair.2.is_finite()) {
        ways[row].push((column, cost));
    }
    // Each row has a column of its own beyond the real ones, in which it is free.
    let free_costs = if free_cost.is_finite() { vec![free_cost; rows] } else { dear(columns, &ways) };
    for (row, (ways, cost)) in ways.iter_mut().zip(free_costs).enumerate() {
        ways.push((columns + row, cost));
    }
    let mut search = Search::new(ways, columns + rows);
    (0..rows).for_each(|row| search.place(row, looks_max));
    search.column_of.into_iter().map(|column| column.filter(|column| *column < columns)).collect()
}

/// For each row what costs more than any choice among the rows that it has to do with.
fn dear(columns: usize, ways: &[Vec<(usize, f64)>]) -> Vec<f64> {
    // Columns are the first nodes, rows the others; each leads to an earlier one of its group, or is its root.
    let mut lead: Vec<usize> = (0..columns + ways.len()).collect();
    for (row, ways) in ways.iter().enumerate() {
        for (column, _) in ways {
            let (a, b) = (root(&mut lead, columns + row), root(&mut lead, *column));
            lead[a.max(b)] = a.min(b);
        }
    }
    let mut sums = vec![0.0; lead.len()];
    for (row, ways) in ways.iter().enumerate() {
        let group = root(&mut lead, columns + row);
        sums[group] = ways.iter().fold(sums[group], |sum: f64, (_, cost)| sum + cost.abs());
    }
    (0..ways.len()).map(|row| 1.0 + 2.0 * sums[root(&mut lead, columns + row)]).collect()
}

/// The first node of a group; on the way the chain to it is halved.
fn root(lead: &mut [usize], mut node: usize) -> usize {
    while lead[node] != node {
        lead[node] = lead[lead[node]];
        node = lead[node];
    }
    node
}

/// Rows that are placed so far at the least total cost, and the memory for placing one more.
struct Search {
    /// For each row the columns it may have, with their costs.
    ways: Vec<Vec<(usize, f64)>>,
    row_of: Vec<Option<usize>>,
    column_of: Vec<Option<usize>>,
    row_potential: Vec<f64>,
    column_potential: Vec<f64>,
    /// The least that a column costs from the row that is being placed, and the row before it on the way.
    least: Vec<f64>,
    before: Vec<usize>,
    done: Vec<bool>,
    /// Columns that were reached, so that the memory of only those is cleared.
    reached: Vec<usize>,
    heap: BinaryHeap<Reverse<Step>>,
    /// The least cost of a free column that was reached: dearer ones are no way to a better end.
    bound: f64,
    /// How many times pairs were looked at.
    looks: u64,
}

/// A column on the edge of a search: the nearest first, of those a free one, of those the first.
#[derive(Clone, Copy)]
struct Step {
    cost: f64,
    is_taken: bool,
    column: usize,
}

impl Ord for Step {
    fn cmp(&self, other: &Self) -> Ordering {
        let costs = self.cost.total_cmp(&other.cost);
        costs.then(self.is_taken.cmp(&other.is_taken)).then(self.column.cmp(&other.column))
    }
}

impl PartialOrd for Step {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Step {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Step {}

impl Search {
    fn new(ways: Vec<Vec<(usize, f64)>>, columns: usize) -> Self {
        Search {
            row_of: vec![None; columns],
            column_of: vec![None; ways.len()],
            row_potential: vec![0.0; ways.len()],
            column_potential: vec![0.0; columns],
            least: vec![f64::INFINITY; columns],
            before: vec![0; columns],
            done: vec![false; columns],
            reached: Vec::new(),
            heap: BinaryHeap::new(),
            bound: f64::INFINITY,
            looks: 0,
            ways,
        }
    }

    /// Places one more row; others may change their columns for it, unless it was looked around for too long.
    fn place(&mut self, start: usize, looks_max: u64) {
        let (mut row, mut so_far) = (start, 0.0);
        self.bound = f64::INFINITY;
        let end = loop {
            if looks_max <= self.looks {
                break self.cheapest(start);
            }
            self.reach(row, so_far);
            // A row's own free column is always within reach.
            let Some(step) = self.nearest() else { break None };
            match self.row_of[step.column] {
                None => break Some(step.column),
                Some(next) => (row, so_far) = (next, step.cost),
            }
        };
        if let Some(end) = end {
            self.settle(start, end);
        }
        for column in self.reached.drain(..) {
            self.least[column] = f64::INFINITY;
            self.done[column] = false;
        }
        self.heap.clear();
    }

    /// The cheapest free column of a row, which is put on the way to it.
    fn cheapest(&mut self, row: usize) -> Option<usize> {
        let free = self.ways[row].iter().filter(|(column, _)| self.row_of[*column].is_none());
        let (column, cost) = *free.min_by(|one, other| one.1.total_cmp(&other.1))?;
        self.least[column] = cost;
        self.before[column] = row;
        self.reached.push(column);
        Some(column)
    }

    /// Reaches the columns that a row may have, at what they cost on top of the way to the row.
    fn reach(&mut self, row: usize, so_far: f64) {
        self.looks += self.ways[row].len() as u64;
        for &(column, cost) in &self.ways[row] {
            let cost = so_far + (cost - self.row_potential[row] - self.column_potential[column]);
            if self.bound < cost || self.least[column] <= cost || self.done[column] {
                continue;
            }
            if self.least[column] == f64::INFINITY {
                self.reached.push(column);
            }
            self.least[column] = cost;
            self.before[column] = row;
            let is_taken = self.row_of[column].is_some();
            if !is_taken {
                self.bound = cost;
            }
            self.heap.push(Reverse(Step { cost, is_taken, column }));
        }
    }

    /// The nearest column that was not looked at; steps to it that were dearer are passed over.
    fn nearest(&mut self) -> Option<Step> {
        while let Some(Reverse(step)) = self.heap.pop() {
            if !self.done[step.column] {
                self.done[step.column] = true;
                return Some(step);
            }
        }
        None
    }

    /// Moves potentials so that no pair costs less than nothing and the way costs nothing, and places the row on the way.
    fn settle(&mut self, start: usize, end: usize) {
        let total = self.least[end];
        self.row_potential[start] += total;
        for &column in &self.reached {
            let Some(row) = self.row_of[column].filter(|_| self.done[column]) else { continue };
            let spare = total - self.least[column];
            self.column_potential[column] -= spare;
            self.row_potential[row] += spare;
        }
        let mut next = Some(end);
        while let Some(column) = next {
            let row = self.before[column];
            next = self.column_of[row].replace(column);
            self.row_of[column] = Some(row);
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::{Pair, assign, assign_pairs, assign_pairs_within};
    use crate::base::rng::dice;

    const NONE: f64 = f64::INFINITY;

    #[test]
    fn the_least_total_is_found_also_with_forbidden_pairs_and_too_few_columns() {
        let cases = [
            (vec![vec![4.0, 1.0, 3.0], vec![2.0, 0.0, 5.0], vec![3.0, 2.0, 2.0]], vec![Some(1), Some(0), Some(2)]),
            (vec![vec![1.0], vec![0.5]], vec![None, Some(0)]),
            (vec![vec![NONE, 1.0], vec![NONE, 0.1]], vec![None, Some(1)]),
            (vec![vec![-3.0, -5.0], vec![-5.0, -4.0]], vec![Some(1), Some(0)]),
            (vec![], vec![]),
            (vec![vec![]], vec![None]),
            (vec![vec![0.0; 3]; 3], vec![Some(0), Some(1), Some(2)]),
        ];
        for (cost, expected) in cases {
            assert_eq!(assign(&cost), expected, "{cost:?}");
        }
    }

    /// The least total of any choice, and how many rows have a column in it: tried one by one.
    fn best_of(cost: &[Vec<f64>], taken: u32, free_cost: f64) -> (usize, f64) {
        let Some((first, rest)) = cost.split_first() else { return (0, 0.0) };
        let free = best_of(rest, taken, free_cost);
        let mut best = (free.0 + 1, free.1 + if free_cost.is_finite() { free_cost } else { 0.0 });
        for (column, cost) in
            first.iter().enumerate().filter(|(column, cost)| cost.is_finite() && taken >> column & 1 == 0)
        {
            let with = best_of(rest, taken | 1 << column, free_cost);
            let with = (with.0, with.1 + cost);
            let is_better = if free_cost.is_finite() {
                with.1 < best.1
            } else {
                with.0 < best.0 || (with.0 == best.0 && with.1 < best.1)
            };
            best = if is_better { with } else { best };
        }
        best
    }

    #[test]
    fn no_choice_is_better_than_the_one_found() {
        let mut dice = dice(3, "assignments");
        for round in 0..400 {
            let (rows, columns) = (dice.random_range(1..7), dice.random_range(1..7));
            let mut cost =
                || if dice.random::<f64>() < 0.4 { NONE } else { (dice.random::<f64>() * 8.0).floor() - 2.0 };
            let cost: Vec<Vec<f64>> = (0..rows).map(|_| (0..columns).map(|_| cost()).collect()).collect();
            let free_cost = if round % 2 == 0 { NONE } else { 2.0 };
            let pairs: Vec<Pair> = (0..rows)
                .flat_map(|row| (0..columns).map(move |column| (row, column)))
                .map(|(row, column)| (row, column, cost[row][column]))
                .collect();
            let found = assign_pairs(rows, columns, &pairs, free_cost);
            let mut used: Vec<usize> = found.iter().copied().flatten().collect();
            let total: f64 = found
                .iter()
                .zip(&cost)
                .map(|(column, row)| match column {
                    Some(column) => row[*column],
                    None if free_cost.is_finite() => free_cost,
                    None => 0.0,
                })
                .sum();
            let best = best_of(&cost, 0, free_cost);
            assert!((total - best.1).abs() < 1e-9, "{cost:?}: {found:?} costs {total}, not {best:?}");
            assert!(free_cost.is_finite() || rows - used.len() == best.0, "{cost:?}: {found:?}");
            used.sort_unstable();
            assert!(used.windows(2).all(|pair| pair[0] < pair[1]), "{found:?}");
        }
    }

    #[test]
    fn who_has_nothing_to_do_with_each_other_costs_nothing_to_keep_apart() {
        // Chains of pairs, rows that nothing fits, and everybody alike: a thousand of each are done at once.
        let count = 1_000;
        let chain: Vec<Pair> = (0..count).flat_map(|row| [(row, row, 1.0), (row, (row + 1) % count, 1.5)]).collect();
        assert!(
            assign_pairs(count, count, &chain, NONE).into_iter().enumerate().all(|(row, column)| column == Some(row))
        );
        assert!(assign_pairs(count, count, &[], 0.8).into_iter().all(|column| column.is_none()));
        let alike: Vec<Pair> = (0..count).flat_map(|row| (0..count).map(move |column| (row, column, 0.25))).collect();
        assert!(
            assign_pairs(count, count, &alike, 0.8).into_iter().enumerate().all(|(row, column)| column == Some(row))
        );
    }

    #[test]
    fn who_cannot_wait_gets_everybody_placed_and_the_best_where_that_is_soon() {
        let count = 300;
        let pairs: Vec<Pair> = (0..count)
            .flat_map(|row| (0..count).map(move |column| (row, column, ((row + 1) * (column + 1)) as f64 / 1e5)))
            .collect();
        let exact = assign_pairs(count, count, &pairs, NONE);
        assert!(exact.iter().enumerate().all(|(row, column)| *column == Some(count - 1 - row)));
        assert_eq!(assign_pairs_within(count, count, &pairs, NONE, u64::MAX), exact);
        for looks_max in [0, 1_000, 200_000] {
            let found = assign_pairs_within(count, count, &pairs, NONE, looks_max);
            let mut columns: Vec<usize> = found.into_iter().flatten().collect();
            columns.sort_unstable();
            assert!(columns.into_iter().eq(0..count), "{looks_max}");
        }
    }
}
