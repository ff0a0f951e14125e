//! Who belongs to whom at the least total cost.

/// Assigns rows to columns so that the total cost is least: the Hungarian method with potentials
/// (Jonker and Volgenant's shortest augmenting paths, Computing 38, 1987), O(rows² columns).
///
/// `cost` has one row per left item, all of the same length. A cost that is not finite forbids a pair; a row stays
/// free (`None`) when there are fewer columns than rows or only forbidden pairs are left for it.
pub fn assign(cost: &[Vec<f64>]) -> Vec<Option<usize>> {
    let rows = cost.len();
    let real_columns = cost.first().map_or(0, Vec::len);
    // A free column per row, dearer than any real pair, keeps the problem solvable.
    let finite = cost.iter().flatten().copied().filter(|value| value.is_finite());
    let dear = 1.0 + 2.0 * finite.fold(0.0, |sum: f64, value| sum + value.abs());
    let columns = real_columns + rows;
    let price = |row: usize, column: usize| {
        if column < real_columns && cost[row][column].is_finite() { cost[row][column] } else { dear }
    };
    let mut row_potential = vec![0.0; rows + 1];
    let mut column_potential = vec![0.0; columns + 1];
    // Column 0 is the virtual start; rows and columns count from 1 inside.
    let mut row_of = vec![0; columns + 1];
    for row in 1..=rows {
        let mut way = vec![0; columns + 1];
        let mut least = vec![f64::INFINITY; columns + 1];
        let mut done = vec![false; columns + 1];
        row_of[0] = row;
        let mut column = 0;
        while row_of[column] != 0 {
            done[column] = true;
            let current = row_of[column];
            let mut step = f64::INFINITY;
            let mut next = 0;
            for other in (1..=columns).filter(|&other| !done[other]) {
                let reduced = price(current - 1, other - 1) - row_potential[current] - column_potential[other];
                if reduced < least[other] {
                    least[other] = reduced;
                    way[other] = column;
                }
                if least[other] < step {
                    step = least[other];
                    next = other;
                }
            }
            for other in 0..=columns {
                if done[other] {
                    row_potential[row_of[other]] += step;
                    column_potential[other] -= step;
                } else {
                    least[other] -= step;
                }
            }
            column = next;
        }
        while column != 0 {
            let previous = way[column];
            row_of[column] = row_of[previous];
            column = previous;
        }
    }
    let mut assigned = vec![None; rows];
    for column in 1..=real_columns {
        let row = row_of[column];
        if row != 0 && cost[row - 1][column - 1].is_finite() {
            assigned[row - 1] = Some(column - 1);
        }
    }
    assigned
}

#[cfg(test)]
mod tests {
    use super::assign;

    #[test]
    fn the_least_total_is_found_also_with_forbidden_pairs_and_too_few_columns() {
        let none = f64::INFINITY;
        let cases = [
            (vec![vec![4.0, 1.0, 3.0], vec![2.0, 0.0, 5.0], vec![3.0, 2.0, 2.0]], vec![Some(1), Some(0), Some(2)]),
            (vec![vec![1.0], vec![0.5]], vec![None, Some(0)]),
            (vec![vec![none, 1.0], vec![none, 0.1]], vec![None, Some(1)]),
            (vec![vec![-3.0, -5.0], vec![-5.0, -4.0]], vec![Some(1), Some(0)]),
            (vec![], vec![]),
            (vec![vec![]], vec![None]),
        ];
        for (cost, expected) in cases {
            assert_eq!(assign(&cost), expected, "{cost:?}");
        }
    }
}
