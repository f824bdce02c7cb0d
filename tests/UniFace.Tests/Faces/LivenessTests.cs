using UniFace.Faces;

namespace UniFace.Tests.Faces;

/// <summary>A pipeline with a liveness check gives no main face that fails it, however the photo is given.</summary>
public sealed class LivenessTests
{
    private static readonly DetectedFace Large = new(10, 10, 100, 100, 0.99f, AlignmentTemplate.ArcFace112.Landmarks);

    [Theory]
    [InlineData(0.9, true)]
    [InlineData(0.5, true)]
    [InlineData(0.49, false)]
    [InlineData(double.NaN, false)]
    public void The_main_face_is_given_only_if_its_score_reaches_the_threshold(double score, bool passes)
    {
        Check check = new(score);
        using FacePipeline pipeline = new(new Decoder(), new Detector()) { Liveness = check };
        if (passes)
        {
            Assert.Equal(score, Assert.Single(pipeline.AlignFaces(new byte[1], "a.jpg", FaceChoice.Largest)).Liveness);
            Assert.Equal(score, pipeline.Align(new byte[1], "a.jpg")!.Liveness);
        }
        else
        {
            NotLiveException e = Assert.Throws<NotLiveException>(() => pipeline.Align(new byte[1], "a.jpg"));
            Assert.StartsWith("a.jpg: the face does not pass the liveness check", e.Message, StringComparison.Ordinal);
            Assert.Throws<NotLiveException>(() => pipeline.AlignMany(3, i => (new byte[1], $"{i}.jpg"), threads: 1));
        }

        Assert.Equal(Large, check.Seen);
    }

    [Fact]
    public void Without_a_check_a_face_has_no_liveness_and_all_faces_are_not_checked()
    {
        using FacePipeline none = new(new Decoder(), new Detector());
        Assert.Null(none.Align(new byte[1], "a.jpg")!.Liveness);
        using FacePipeline all = new(new Decoder(), new Detector()) { Liveness = new Check(0) };
        Assert.Null(Assert.Single(all.AlignFaces(new byte[1], "a.jpg", FaceChoice.All)).Liveness);
    }

    [Fact]
    public void An_aligned_face_is_refused_because_the_check_needs_the_photo()
    {
        byte[] encoded = new byte[1];
        using FacePipeline aligned = FacePipeline.ForAligned(new Decoder(112), liveness: new Check(1));
        Assert.Contains("give the photo", Assert.Throws<UniFaceException>(() => aligned.Align(encoded, "a.jpg")).Message, StringComparison.Ordinal);
        using FacePipeline raw = new(new Decoder(), new Detector()) { Liveness = new Check(1) };
        UniFaceException e = Assert.Throws<UniFaceException>(
            () => raw.AlignFaces(new Photo(new RgbImage(112, 112)), "a.jpg", FaceChoice.Largest, aligned: true));
        Assert.Contains("give the photo", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_pipeline_disposes_its_check()
    {
        Check check = new(1);
        new FacePipeline(new Decoder(), new Detector()) { Liveness = check }.Dispose();
        Assert.True(check.Disposed);
    }

    private sealed class Check(double score) : ILivenessCheck, IDisposable
    {
        public DetectedFace? Seen { get; private set; }

        public bool Disposed { get; private set; }

        LivenessResult ILivenessCheck.Check(Photo photo, DetectedFace face)
        {
            Seen = face;
            return new LivenessResult(score, 0.5);
        }

        public void Dispose() => Disposed = true;
    }

    private sealed class Detector : IFaceDetector
    {
        public string Name => "one";

        public IReadOnlyList<DetectedFace> Detect(RgbImage photo) => [Large];

        public void Dispose()
        {
        }
    }

    private sealed class Decoder(int side = 120) : IImageDecoder
    {
        public RgbImage Decode(ReadOnlyMemory<byte> encoded, string source) => new(side, side);
    }
}
