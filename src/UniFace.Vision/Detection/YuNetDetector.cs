namespace UniFace.Vision.Detection;

/// <summary>
/// YuNet (Wu et al., 2023): a small anchor-free detector with five landmarks, at strides 8, 16 and 32. It finds faces of
/// about 10 to 300 pixels, so it runs on a photo at several sizes, from 1280 pixels down to 320. Thread-safe.
/// </summary>
internal sealed class YuNetDetector : IFaceDetector
{
    private const int MaxSide = 1280;
    private const int MinSide = 320;

    // Detections with this overlap are of the same face, and count towards its landmarks from this score on.
    private const float SameFace = 0.5f;
    private const float GroupScore = 0.5f;
    private static readonly int[] Strides = [8, 16, 32];
    private static readonly string[] OutputNames = [.. from head in new[] { "cls", "obj", "bbox", "kps" } from stride in Strides select $"{head}_{stride}"];

    private static readonly PixelWriter<float> Writer = new(pixel => pixel, ColorOrder.Bgr, channelsLast: false);

    private readonly OnnxSession session;
    private readonly string inputName;
    private readonly int fixedWidth;
    private readonly int fixedHeight;
    private readonly float minScore;
    private readonly float maxOverlap;

    internal YuNetDetector(OnnxSession session, string path, string hash, DetectorOptions options)
    {
        this.session = session;
        (inputName, NodeMetadata input) = session.Inputs.First();
        int[] shape = input.Dimensions;
        if (shape.Length != 4 || shape[1] != 3)
        {
            throw new UniFaceException($"{path}: its input is {OnnxSession.Shape(shape)}, expected YuNet's 1x3xHxW.");
        }

        fixedHeight = Math.Max(shape[2], 0);
        fixedWidth = Math.Max(shape[3], 0);
        minScore = options.MinScore ?? 0.6f;
        maxOverlap = options.MaxOverlap;
        Name = $"yunet {hash[..12]}";
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>Runs the network on a black image.</summary>
    internal void RunOnce() => _ = Detect(new RgbImage(MinSide, MinSide));

    /// <summary>Whether a model has YuNet's outputs.</summary>
    internal static bool Matches(OnnxSession session) => OutputNames.All(session.Outputs.ContainsKey);

    /// <inheritdoc/>
    public IReadOnlyList<DetectedFace> Detect(RgbImage photo)
    {
        ArgumentNullException.ThrowIfNull(photo);
        List<DetectedFace> faces = [];
        int longest = Math.Max(photo.Width, photo.Height);
        int limit = fixedWidth > 0 ? Math.Min(fixedWidth, fixedHeight) : MaxSide;
        double scale = Math.Min(1, (double)limit / longest);
        RgbImage level = ImageResize.To(photo, Scaled(photo.Width, scale), Scaled(photo.Height, scale));
        while (true)
        {
            AddFaces(photo, level, faces);
            if (Math.Max(level.Width, level.Height) < 2 * MinSide)
            {
                return Merge(faces);
            }

            level = ImageResize.To(level, Scaled(level.Width, 0.5), Scaled(level.Height, 0.5));
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<DetectedFace> Detect(Photo photo, FaceChoice choice)
    {
        ArgumentNullException.ThrowIfNull(photo);
        PhotoView view = photo.Level(int.Log2(Math.Max(1, Math.Max(photo.Width, photo.Height) / MaxSide)));
        SimilarityTransform back = view.FromPhoto.Inverse();
        return [.. Detect(view.Image).Select(face => face.Map(back))];
    }

    /// <summary>Frees the model.</summary>
    public void Dispose() => session.Dispose();

    /// <summary>
    /// Decodes the maps of one stride to pixels of the network's input. The score is the root of class times objectness.
    /// </summary>
    /// <param name="cls">[cells].</param>
    /// <param name="obj">[cells].</param>
    /// <param name="boxes">[cells, 4]: center relative to the cell, logarithm of the size, both in strides.</param>
    /// <param name="points">[cells, 10]: five points relative to the cell, in strides.</param>
    /// <param name="columns">Cells per row.</param>
    /// <param name="stride">Pixels per cell.</param>
    /// <param name="minScore">Lower scores are dropped.</param>
    internal static IEnumerable<DetectedFace> Decode(
        float[] cls, float[] obj, float[] boxes, float[] points, int columns, int stride, float minScore)
    {
        for (int cell = 0; cell < cls.Length; cell++)
        {
            float score = MathF.Sqrt(Math.Clamp(cls[cell], 0, 1) * Math.Clamp(obj[cell], 0, 1));
            if (!(score >= minScore))
            {
                continue;
            }

            int column = cell % columns, row = cell / columns, b = cell * 4;
            float width = MathF.Exp(boxes[b + 2]) * stride, height = MathF.Exp(boxes[b + 3]) * stride;
            yield return new DetectedFace(
                ((column + boxes[b]) * stride) - (width / 2),
                ((row + boxes[b + 1]) * stride) - (height / 2),
                width,
                height,
                score,
                new FaceLandmarks(At(0), At(1), At(2), At(3), At(4)));

            Point At(int point) => new((column + points[(cell * 10) + (2 * point)]) * stride, (row + points[(cell * 10) + (2 * point) + 1]) * stride);
        }
    }

    /// <summary>
    /// The best of each group of overlapping detections, with the score-weighted mean of the group's landmarks, which is more stable
    /// than those of the best detection.
    /// </summary>
    private List<DetectedFace> Merge(List<DetectedFace> faces)
    {
        List<DetectedFace> best = NonMaximumSuppression.Select(faces, Box, face => face.Score, maxOverlap);
        return
        [
            .. best.Where(face => face.Score >= minScore)
                .Select(face => face with { Landmarks = Mean([.. faces.Where(other => Box(other).Overlap(Box(face)) > SameFace)]) }),
        ];

        static FaceBox Box(DetectedFace face) => new(face.X, face.Y, face.Width, face.Height);

        static FaceLandmarks Mean(List<DetectedFace> group)
        {
            float total = group.Sum(face => face.Score);
            return new FaceLandmarks(At(l => l.LeftEye), At(l => l.RightEye), At(l => l.Nose), At(l => l.LeftMouth), At(l => l.RightMouth));

            Point At(Func<FaceLandmarks, Point> point) => new(Average(l => point(l).X), Average(l => point(l).Y));

            float Average(Func<FaceLandmarks, float> value) => group.Sum(face => face.Score * value(face.Landmarks)) / total;
        }
    }

    private static int Scaled(int side, double scale) => Math.Max(1, (int)Math.Round(side * scale));

    private static int RoundUp(int side) => (side + 31) / 32 * 32;

    private void AddFaces(RgbImage photo, RgbImage level, List<DetectedFace> faces)
    {
        int width = fixedWidth > 0 ? fixedWidth : RoundUp(level.Width), height = fixedHeight > 0 ? fixedHeight : RoundUp(level.Height);
        float[] input = new float[3 * width * height]; // [1, 3, H, W], black to the right of and below the image
        Writer.Write(level, input, width, height);
        using OrtValue value = OrtValue.CreateTensorValueFromMemory(input, [1, 3, height, width]);
        using OnnxSession.Results results = session.Run(inputName, value, OutputNames);
        PhotoScale back = new((double)photo.Width / level.Width, (double)photo.Height / level.Height);
        for (int s = 0; s < Strides.Length; s++)
        {
            int stride = Strides[s];
            float[] Output(int head) => results.Floats((head * Strides.Length) + s).ToArray();
            faces.AddRange(
                Decode(Output(0), Output(1), Output(2), Output(3), width / stride, stride, Math.Min(minScore, GroupScore)).Select(back.Apply));
        }
    }
}
