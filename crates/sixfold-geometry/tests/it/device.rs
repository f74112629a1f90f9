//! Neighbours of tensors on every backend: the table of the host, bit for bit.

use burn::tensor::{DType, Device, Tensor, TensorData};
use ndarray::Array2;
use sixfold_geometry::knn::{on_device, on_device_and_work};
use sixfold_geometry::{Error, neighbours};

use crate::knn::{narrow, normal};

fn devices() -> Vec<(&'static str, Device)> {
    let mut names = sixfold_model::available_devices();
    names.retain(|&name| name != "cuda" && (name != "wgpu" || sixfold_testkit::has_vulkan()));
    names.into_iter().map(|name| (name, sixfold_model::device(name).unwrap())).collect()
}

fn tensor(x: &Array2<f32>, device: &Device) -> Tensor<2> {
    let values: Vec<f32> = x.iter().copied().collect();
    Tensor::from_data(TensorData::new(values, [x.nrows(), x.ncols()]), device)
}

#[test]
fn devices_give_the_table_of_the_host() {
    let mut sinks = narrow(&normal(42, 300, 24));
    for i in (0..300).step_by(50) {
        sinks[(i, 3)] += 2000.0;
    }
    let mut copies = narrow(&normal(43, 260, 8));
    for i in 0..200 {
        let row = copies.row(i % 20).to_owned();
        copies.row_mut(i).assign(&row);
    }
    let cases = [
        ("small", narrow(&normal(41, 64, 8)), 2),
        ("gaussian", narrow(&normal(41, 1300, 20)), 3),
        ("sinks", sinks, 3),
        ("copies", copies, 3),
        ("far", narrow(&normal(44, 200, 8)).mapv(|x| 1e4 + x), 3),
        ("all", narrow(&normal(45, 20, 4)), 19),
    ];
    for (backend, device) in devices() {
        // A software GPU compiles for seconds at each new shape: one case shows that it works.
        let shown = if backend == "wgpu" { 1 } else { cases.len() };
        for (name, x, k) in &cases[..shown] {
            let found = on_device(tensor(x, &device), *k).unwrap();
            assert_eq!(found, neighbours(x.view(), *k).unwrap(), "{name} on {backend}");
        }
    }
}

#[test]
fn few_points_need_a_second_pass() {
    let x = narrow(&normal(46, 800, 16));
    for (backend, device) in devices() {
        if backend == "wgpu" {
            continue;
        }
        let (_, work) = on_device_and_work(tensor(&x, &device), 2).unwrap();
        assert!(work.second_pass < 80, "{work:?} on {backend}");
    }
}

#[test]
fn wide_tensors_are_measured_in_f64() {
    let x = normal(47, 150, 6).mapv(|x| 1.0 + 1e-9 * x);
    for (backend, device) in devices() {
        if backend == "wgpu" {
            continue;
        }
        let values = TensorData::new(x.iter().copied().collect::<Vec<f64>>(), [150, 6]);
        let tensor = Tensor::<2>::from_data(values, (&device, DType::F64));
        assert_eq!(on_device(tensor, 4).unwrap(), neighbours(x.view(), 4).unwrap(), "{backend}");
    }
}

#[test]
fn tensors_are_checked() {
    for (_, device) in devices() {
        let x = tensor(&narrow(&normal(48, 5, 3)), &device);
        assert!(matches!(on_device(x.clone(), 0), Err(Error::InvalidParameter { .. })));
        assert!(matches!(on_device(x, 5), Err(Error::TooFewPoints { found: 5, .. })));
        let nan = tensor(&ndarray::array![[0.0, 1.0], [f32::NAN, 2.0]], &device);
        assert!(matches!(on_device(nan, 1), Err(Error::NotFinite { row: 1, col: 0, .. })));
    }
}
