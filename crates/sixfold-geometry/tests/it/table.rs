//! The table of neighbours.

use ndarray::array;
use sixfold_geometry::{Error, Neighbours, neighbours};

#[test]
fn a_line_of_points_has_its_neighbours_in_order() {
    let x = array![[0.0], [1.0], [3.0], [3.0]];
    let table = neighbours(x.view(), 2).unwrap();
    assert_eq!(table.indices(), array![[1, 2], [0, 2], [3, 1], [2, 1]]);
    assert_eq!(table.distances(), array![[1.0, 3.0], [1.0, 2.0], [0.0, 2.0], [0.0, 2.0]]);
    assert_eq!(table.duplicates(), 2);
}

#[test]
fn a_table_from_elsewhere_is_checked() {
    let ids = array![[1_u32], [0]];
    assert!(Neighbours::from_parts(ids.clone(), array![[1.0], [1.0]]).is_ok());
    let nan = Neighbours::from_parts(ids.clone(), array![[1.0], [f64::NAN]]);
    assert!(matches!(nan, Err(Error::NotFinite { row: 1, col: 0, .. })));
    let own = Neighbours::from_parts(array![[0_u32], [0]], array![[1.0], [1.0]]);
    assert!(matches!(own, Err(Error::InvalidParameter { name: "index", .. })));
}
