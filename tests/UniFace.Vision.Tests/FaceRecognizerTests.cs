using UniFace.Decisions;
using UniFace.Faces;
using UniFace.Packages;
using UniFace.TestSupport;
using UniFace.Vision.Imaging;

namespace UniFace.Vision.Tests;

/// <summary>A recognizer gives one answer for a photo, whether it comes as a path, bytes, a stream or an image, at once or later.</summary>
public sealed class FaceRecognizerTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task A_path_bytes_a_stream_and_an_image_have_the_same_embedding_at_once_and_later()
    {
        using FaceRecognizer recognizer = OpenAligned();
        RgbImage image = TestImages.Noise(112, 112, 3);
        byte[] png = ImageEncoder.Png(image);
        string path = Path.Combine(folder, "a.png");
        await File.WriteAllBytesAsync(path, png, TestContext.Current.CancellationToken);
        using MemoryStream first = new(png), second = new(png);
        FaceEmbedding[] all =
        [
            recognizer.Embed(path), recognizer.Embed(png), recognizer.Embed(first), recognizer.Embed(image),
            await recognizer.EmbedAsync(path), await recognizer.EmbedAsync(second), recognizer.EmbedAll(image)[0], (await recognizer.EmbedAllAsync(png))[0],
        ];
        Assert.Equal(8, recognizer.EmbeddingSize);
        Assert.All(all, e => Assert.Equal(all[0].Values.ToArray(), e.Values.ToArray()));
        Assert.All(all, e => Assert.Equal(recognizer.ContractId, e.ContractId));
        Assert.Equal(1, all[0].Similarity(all[1]), 1e-6);
        Assert.Equal(path, all[0].Source);
        Assert.Equal(all[0].PhotoSha256, all[1].PhotoSha256);
        Assert.Null(all[3].PhotoSha256);
    }

    [Fact]
    public void A_main_face_that_is_not_live_is_embedded_by_no_method()
    {
        using FaceRecognizer recognizer = FaceRecognizer.Open(
            TestPackage.Write(Path.Combine(folder, "package")),
            new FaceRecognizerOptions { CustomDetector = new OneFace(), Liveness = new Print() });
        RgbImage image = TestImages.Noise(200, 200, 3);
        Assert.Single(recognizer.Detect(image));
        Assert.Throws<NotLiveException>(() => recognizer.Embed(image));
        Assert.Throws<NotLiveException>(() => recognizer.EmbedAll(image));
    }

    [Fact]
    public async Task A_verification_says_score_threshold_rate_and_reason_as_the_calibration_has_them()
    {
        using FaceRecognizer recognizer = OpenAligned();
        RgbImage a = TestImages.Noise(112, 112, 1), b = TestImages.Noise(112, 112, 2);
        Verification same = recognizer.Verify(a, a, falseMatchRate: 0.01), other = recognizer.Verify(a, b, threshold: 0.999);
        Assert.True(same.IsMatch);
        Assert.Equal(1, same.Score, 1e-6);
        Assert.Equal(0.77, same.Threshold);
        Assert.Equal(0.01, same.FalseMatchRate);
        Assert.Contains("reaches the threshold 0.7700", same.Reason, StringComparison.Ordinal);
        Assert.Equal(recognizer.Embed(a).Similarity(recognizer.Embed(b)), other.Score, 1e-6);
        Assert.Equal(other.Score >= 0.999, other.IsMatch);
        Assert.Equal(other, await recognizer.VerifyAsync(a, b, threshold: 0.999), (x, y) => x.Score == y.Score && x.IsMatch == y.IsMatch);
        Assert.Equal(0.77, recognizer.ThresholdAt(0.01));
        Assert.Throws<UniFaceException>(() => recognizer.Verify(a, b, falseMatchRate: 0.01, threshold: 0.5));
    }

    [Fact]
    public void A_bare_model_without_a_calibration_gives_a_score_and_needs_a_threshold_to_decide()
    {
        string onnx = Path.Combine(folder, "m.onnx");
        TinyOnnx.WriteEmbedder(onnx, 112, 112, 16);
        using FaceRecognizer recognizer = FaceRecognizer.Open(onnx, new FaceRecognizerOptions { Aligned = true });
        RgbImage a = TestImages.Noise(112, 112, 1);
        Assert.False(recognizer.IsCalibrated);
        Assert.True(recognizer.Verify(a, a, threshold: 0.9).IsMatch);
        Assert.Throws<MissingCalibrationException>(() => recognizer.Verify(a, a, falseMatchRate: 0.01));
        Verification scored = recognizer.Verify(a, a);
        Assert.Equal(1, scored.Score, 1e-6);
        Assert.Throws<MissingCalibrationException>(() => scored.IsMatch);
        Assert.Throws<MissingCalibrationException>(() => scored.Threshold);
        Assert.StartsWith("not decided: the score is 1.0000; the model has no calibration", scored.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_onnx_file_of_a_package_opens_the_package_and_others_are_bare()
    {
        string package = Directory.CreateDirectory(Path.Combine(folder, "p")).FullName;
        string onnx = Path.Combine(package, "model.onnx"), other = Path.Combine(package, "other.onnx");
        TinyOnnx.WriteEmbedder(onnx, 112, 112, 16);
        TestPackage.Complete(package, onnx, size: 16);
        File.Copy(onnx, other);
        using FaceRecognizer whole = FaceRecognizer.Open(package), file = FaceRecognizer.Open(onnx), bare = FaceRecognizer.Open(other);
        Assert.Equal((whole.ContractId, whole.IsCalibrated), (file.ContractId, file.IsCalibrated));
        Assert.False(bare.IsCalibrated);
        using FaceRecognizer described = FaceRecognizer.Open(onnx, new FaceRecognizerOptions { ColorOrder = ColorOrder.Bgr });
        Assert.NotEqual(whole.ContractId, described.ContractId);
        File.WriteAllText(Path.Combine(package, "model.json"), "{ \"format\": \"layers-model\" }");
        using FaceRecognizer beside = FaceRecognizer.Open(onnx);
        Assert.Equal(bare.ContractId, beside.ContractId);
    }

    [Fact]
    public async Task A_photo_without_a_face_has_no_faces_and_no_embedding_and_a_custom_detector_is_disposed()
    {
        Blind blind = new();
        string package = TestPackage.Write(Path.Combine(folder, "p"));
        using (FaceRecognizer recognizer = FaceRecognizer.Open(package, new FaceRecognizerOptions { CustomDetector = blind }))
        {
            RgbImage wall = TestImages.Noise(60, 60, 1);
            Assert.Empty(recognizer.Detect(wall));
            Assert.Empty(await recognizer.DetectAsync(wall, TestContext.Current.CancellationToken));
            Assert.Empty(recognizer.EmbedAll(wall));
            string message = Assert.Throws<UniFaceException>(() => recognizer.Embed(ImageSource.FromBytes(ImageEncoder.Png(wall), "wall.png"))).Message;
            Assert.StartsWith("wall.png: no face found (blind)", message, StringComparison.Ordinal);
        }

        Assert.True(blind.Disposed);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_detector_and_a_liveness_check_are_disposed_though_no_photo_was_processed(bool aligned)
    {
        (Blind blind, Print print) = (new(), new());
        string package = TestPackage.Write(Path.Combine(folder, "p"));
        FaceRecognizer.Open(package, new FaceRecognizerOptions { CustomDetector = blind, Liveness = print, Aligned = aligned }).Dispose();
        Assert.True(blind.Disposed && print.Disposed);
    }

    [Fact]
    public void A_detector_and_a_liveness_check_are_disposed_if_the_recognizer_or_the_detector_does_not_open()
    {
        (Blind blind, Print print, Print other) = (new(), new(), new());
        Assert.Throws<UniFaceException>(() => FaceRecognizer.Open(
            Path.Combine(folder, "absent"), new FaceRecognizerOptions { CustomDetector = blind, Liveness = print }));
        Assert.True(blind.Disposed && print.Disposed);
        using FaceRecognizer recognizer = FaceRecognizer.Open(
            TestPackage.Write(Path.Combine(folder, "p")), new FaceRecognizerOptions { Detector = Path.Combine(folder, "absent.onnx"), Liveness = other });
        Assert.Throws<UniFaceException>(recognizer.Load);
        Assert.True(other.Disposed);
    }

    [Fact]
    public void Aligned_faces_have_no_place_in_a_photo_and_detecting_them_is_refused()
    {
        using FaceRecognizer recognizer = OpenAligned();
        Refused.With("a.png: this recognizer takes aligned faces and detects none", () => recognizer.Detect(
            ImageSource.FromBytes(ImageEncoder.Png(TestImages.Noise(112, 112, 3)), "a.png")));
    }

    [Fact]
    public async Task A_stream_that_is_too_large_or_fails_is_refused_by_the_name_of_the_photo()
    {
        using FaceRecognizer recognizer = OpenAligned();
        await using FileStream large = File.Create(Path.Combine(folder, "large"));
        large.SetLength((1L << 29) + 1);
        ImageSource photo = ImageSource.FromStream(large, "upload"), lost = ImageSource.FromStream(new LostStream(), "upload");
        Refused.With("upload has more than 536870912 bytes", () => recognizer.Embed(photo));
        Refused.With("upload cannot be read: the line was cut", () => recognizer.Embed(lost));
        foreach ((ImageSource source, string expected) in new[] { (photo, "more than 536870912 bytes"), (lost, "the line was cut") })
        {
            Assert.Contains(
                expected, (await Assert.ThrowsAsync<UniFaceException>(() => recognizer.EmbedAsync(source))).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_path_is_a_file_even_if_it_is_a_hyphen()
    {
        using FaceRecognizer recognizer = OpenAligned();
        Refused.With("-: no such file", () => recognizer.Embed("-"));
    }

    [Fact]
    public async Task A_cancelled_call_stops()
    {
        using FaceRecognizer recognizer = OpenAligned();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => recognizer.EmbedAsync(TestImages.Noise(112, 112, 1), new CancellationToken(canceled: true)));
    }

    [Fact]
    public void Embeddings_of_two_models_are_not_compared_and_an_embedding_has_norm_1()
    {
        FaceEmbedding a = new(new float[] { 1, 0 }, "one"), b = new(new float[] { 1, 0 }, "two");
        Assert.Contains("contract two", Assert.Throws<UniFaceException>(() => a.Similarity(b)).Message, StringComparison.Ordinal);
        Assert.Throws<UniFaceException>(() => new FaceEmbedding(new float[] { 1, 1 }, "one"));
        Assert.Throws<UniFaceException>(() => new FaceEmbedding(ReadOnlyMemory<float>.Empty, "one"));
        Assert.Throws<UniFaceException>(() => new FaceEmbedding(new float[] { float.NaN }, "one"));
    }

    private FaceRecognizer OpenAligned() =>
        FaceRecognizer.Open(TestPackage.Write(Path.Combine(folder, "package")), new FaceRecognizerOptions { Aligned = true });

    private sealed class LostStream : MemoryStream
    {
        public override bool CanSeek => false;

        public override int Read(byte[] buffer, int offset, int count) => throw new IOException("the line was cut");

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            throw new IOException("the line was cut");
    }

    private sealed class Print : ILivenessCheck, IDisposable
    {
        public bool Disposed { get; private set; }

        public void Dispose() => Disposed = true;

        public LivenessResult Check(Photo photo, DetectedFace face) => new(0, 0.5);
    }

    private sealed class OneFace : IFaceDetector
    {
        public string Name => "one face";

        public bool FindsTurnedFaces => true;

        public IReadOnlyList<DetectedFace> Detect(RgbImage photo) =>
            [new DetectedFace(60, 60, 80, 100, 1, new FaceLandmarks(new(80, 90), new(120, 90), new(100, 110), new(85, 130), new(115, 130)))];

        public void Dispose()
        {
        }
    }

    private sealed class Blind : IFaceDetector
    {
        public bool Disposed { get; private set; }

        public string Name => "blind";

        public IReadOnlyList<DetectedFace> Detect(RgbImage photo) => [];

        public void Dispose() => Disposed = true;
    }
}
