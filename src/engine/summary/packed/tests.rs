use super::*;
use crate::engine::summary::ColumnSum;
use proptest::prelude::*;

/// A column of `n_slots` slots with values at these places, each so many times.
fn column(n_slots: usize, values: &[(usize, u64)], sums: bool, others: (u64, u64)) -> ColumnCounts {
    let mut column = ColumnCounts { sums: sums.then(|| NumberSums::new(3.0)), ..ColumnCounts::new(n_slots) };
    for &(at, n) in values {
        let slot = at % n_slots;
        column.add_number(slot, slot as f64 - 1e6, (slot as f64 - 2.0) * 1e-3);
        column.slots[slot] += n - 1;
    }
    column.missing = others.0;
    column.invalid[1] = others.1;
    column
}

fn columns() -> impl Strategy<Value = Vec<ColumnCounts>> {
    let count = prop_oneof![6 => 1u64..6, 2 => 100u64..400, 1 => Just(70_000u64), 1 => Just(1u64 << 33)];
    let others = prop_oneof![3 => Just((0u64, 0u64)), 1 => (0u64..9, 0u64..1000)];
    let pane = (prop::collection::vec((0usize..700, count), 0..40), others);
    (1usize..600, any::<bool>(), prop::collection::vec(pane, 1..8))
        .prop_map(|(n, sums, panes)| panes.iter().map(|(values, others)| column(n, values, sums, *others)).collect())
}

fn packed(columns: &[&ColumnCounts]) -> Vec<u8> {
    let mut packer = Packer::default();
    columns.iter().for_each(|column| packer.column(column));
    packer.into_bytes()
}

proptest! {
    #[test]
    fn what_is_unpacked_is_what_was_packed(columns in columns()) {
        let bytes = packed(&columns.iter().collect::<Vec<_>>());
        let mut unpacker = Unpacker::new(&bytes);
        for column in &columns {
            prop_assert_eq!(&unpacker.column(), column);
        }
        prop_assert!(unpacker.is_done());
        let mut last = Unpacker::new(&bytes);
        (1..columns.len()).for_each(|_| last.skip_column());
        prop_assert_eq!(&last.column(), &columns[columns.len() - 1]);
    }

    #[test]
    fn packed_columns_add_up_and_go_again_like_dense_ones(columns in columns(), leaving in 0usize..8) {
        let bytes: Vec<Vec<u8>> = columns.iter().map(|column| packed(&[column])).collect();
        let mut sum = ColumnSum::like(&Unpacker::new(&bytes[0]));
        let mut dense = ColumnCounts { sums: columns[0].sums.map(|_| NumberSums::new(3.0)), ..ColumnCounts::new(columns[0].slots.len()) };
        prop_assert_eq!(&sum.counts(), &dense);
        for (column, bytes) in columns.iter().zip(&bytes) {
            sum.merge(&mut Unpacker::new(bytes));
            dense.merge(column);
            prop_assert_eq!(&sum.counts(), &dense);
        }
        for (column, bytes) in columns.iter().zip(&bytes).take(leaving) {
            sum.unmerge(&mut Unpacker::new(bytes));
            dense.unmerge(column);
            prop_assert_eq!(&sum.counts(), &dense);
        }
    }

    #[test]
    fn numbers_of_any_size_come_back(numbers in prop::collection::vec(any::<u64>(), 0..20), wide in any::<i128>(), scale in any::<i32>()) {
        let mut packer = Packer::default();
        let sum = FixedSum::of_parts(scale, wide, 7);
        packer.sum(&sum);
        numbers.iter().for_each(|&n| packer.number(n));
        let bytes = packer.into_bytes();
        let mut unpacker = Unpacker::new(&bytes);
        prop_assert_eq!(unpacker.sum(), sum);
        for n in numbers {
            prop_assert_eq!(unpacker.number(), n);
        }
        prop_assert!(unpacker.is_done());
    }

    #[test]
    fn bytes_that_nobody_packed_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let mut unpacker = Unpacker::new(&bytes);
        let head = unpacker.head();
        prop_assume!(head.n_slots < 1 << 20);
        let mut sum = ColumnSum::like(&Unpacker::new(&packed(&[&ColumnCounts::new(head.n_slots)])));
        sum.merge(&mut Unpacker::new(&bytes));
    }
}

#[test]
fn a_slide_of_few_values_takes_about_a_byte_for_each() {
    let values: Vec<(usize, u64)> = (0..60).map(|i| (i * 8 + 1, 1)).collect();
    let sparse = packed(&[&column(535, &values, false, (0, 0))]);
    assert_eq!(sparse.len(), 2 + 1 + 1 + 1 + 60, "slots, values, flags, occupied slots, and a byte for each of them");
    let empty = packed(&[&ColumnCounts::new(535)]);
    assert_eq!(empty.len(), 5);
}

#[test]
fn the_encoding_stands() {
    let column = column(300, &[(2, 1), (3, 3), (5, 4), (299, 200)], false, (1, 2));
    let expected = [
        &[0xac, 0x02][..],      // 300 slots
        &[0xd0, 0x01],          // 208 values
        &[2],                   // no sums; something is missing or invalid:
        &[1, 0, 2, 0, 0],       // one missing, two non-finite
        &[4],                   // four slots that are not 0
        &[8, 2, 7, 0],          // 2 before, one; none before, three; one before, four or more: 4 + 0
        &[0x97, 0x09, 0xc4, 1], // 293 before, four or more: 4 + 196
    ];
    assert_eq!(packed(&[&column]), expected.concat());
}
