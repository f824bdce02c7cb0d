namespace UniFace.Vision.Detection;

/// <summary>A detection: center and size of the box, six points (eyes, nose, mouth, ears; left in the image first), score.</summary>
internal sealed record BlazeFace(Point Center, float Width, float Height, Point[] Points, float Score)
{
    /// <summary>The box.</summary>
    public FaceBox Box => new(Center.X - (Width / 2), Center.Y - (Height / 2), Width, Height);

    /// <summary>Applies a transform. The box stays upright and is scaled.</summary>
    public BlazeFace Transform(SimilarityTransform transform) => new(
        transform.Apply(Center),
        (float)(Width * transform.Scale),
        (float)(Height * transform.Scale),
        [.. Points.Select(transform.Apply)],
        Score);
}

/// <summary>
/// The BlazeFace network (Bazarevsky et al., 2019) on one square of 128 or 256 pixels. Thread-safe.
/// </summary>
internal sealed class BlazeFaceNetwork : IDisposable
{
    /// <summary>Points per face.</summary>
    public const int PointCount = 6;

    private const int ValuesPerAnchor = 4 + (2 * PointCount);

    // Of the network for photos taken at arm's length: scores, then boxes, of the fine grid (2 anchors per cell) and the coarse grid (6 per cell).
    private static readonly Layout Near = new(["Identity:0", "Identity_1:0", "Identity_2:0", "Identity_3:0"], [(16, 2), (8, 6)], ChannelsLast: true);

    // Of the full-range network, as converted from TFLite.
    private static readonly Layout FullRange = new(["output1", "output0"], [(48, 1)], ChannelsLast: false);

    // The detector's own input; PixelNormalization is that of a model package.
    private static readonly PixelWriter<float> Writer = new(pixel => (pixel / 127.5f) - 1, ColorOrder.Rgb, channelsLast: true);
    private static readonly PixelWriter<float> PlanarWriter = new(pixel => (pixel / 127.5f) - 1, ColorOrder.Rgb, channelsLast: false);

    private readonly OnnxSession session;
    private readonly string inputName;
    private readonly Layout layout;

    public BlazeFaceNetwork(OnnxSession session, string path)
    {
        this.session = session;
        (inputName, NodeMetadata input) = session.Inputs.First();
        int[] shape = input.Dimensions;
        layout = Near.Matches(session) ? Near : FullRange;
        int height = shape[layout.ChannelsLast ? 1 : 2], width = shape[layout.ChannelsLast ? 2 : 3];
        if (height != width || width % 32 != 0)
        {
            throw new UniFaceException($"{path}: its input is {OnnxSession.Shape(shape)}, expected BlazeFace's 1x256x256x3 or 1x128x128x3.");
        }

        Size = width;
    }

    /// <summary>Side of the square in pixels.</summary>
    public int Size { get; }

    /// <summary>Whether a model has BlazeFace's outputs.</summary>
    public static bool Matches(OnnxSession session) => Near.Matches(session) || FullRange.Matches(session);

    /// <summary>Detects faces in a part of the photo. They are in pixels of the photo, unordered and overlapping.</summary>
    /// <param name="photo">The photo.</param>
    /// <param name="photoToInput">The transform from the photo to the network's square.</param>
    /// <param name="minScore">Lower scores are dropped.</param>
    /// <param name="mirrored">True to mirror the square; left and right are swapped back.</param>
    public List<BlazeFace> Run(Photo photo, SimilarityTransform photoToInput, float minScore, bool mirrored = false)
    {
        RgbImage square = photo.Warp(photoToInput, Size, Size);
        PixelWriter<float> writer = layout.ChannelsLast ? Writer : PlanarWriter;
        using OnnxSession.Results results = writer.Run(square, mirrored, value => session.Run(inputName, value, layout.Outputs));
        SimilarityTransform back = photoToInput.Inverse();
        List<BlazeFace> faces = [];
        for (int grid = 0; grid < layout.Grids.Length; grid++)
        {
            (int cells, int anchors) = layout.Grids[grid];
            foreach (BlazeFace face in Decode(results.Floats(grid), results.Floats(layout.Grids.Length + grid), cells, anchors, Size, minScore))
            {
                faces.Add((mirrored ? Mirror(face) : face).Transform(back));
            }
        }

        return faces;
    }

    /// <summary>Decodes the outputs of one grid to pixels of the square.</summary>
    /// <param name="scores">[cells * cells * anchors], before the sigmoid.</param>
    /// <param name="boxes">[cells * cells * anchors, 16]: center, size and points in pixels; centers and points are relative to the center of the cell.</param>
    /// <param name="cells">Cells per row.</param>
    /// <param name="anchors">Anchors per cell, all in its center.</param>
    /// <param name="size">Side of the square in pixels.</param>
    /// <param name="minScore">Lower scores are dropped.</param>
    internal static List<BlazeFace> Decode(ReadOnlySpan<float> scores, ReadOnlySpan<float> boxes, int cells, int anchors, int size, float minScore)
    {
        List<BlazeFace> faces = [];
        for (int i = 0; i < scores.Length; i++)
        {
            float score = 1 / (1 + MathF.Exp(-scores[i]));
            if (!(score >= minScore))
            {
                continue;
            }

            int cell = i / anchors;

            // The network's 0 is the left edge; ours is the center of the first pixel.
            float x = (((cell % cells) + 0.5f) * size / cells) - 0.5f, y = (((cell / cells) + 0.5f) * size / cells) - 0.5f;
            ReadOnlySpan<float> box = boxes.Slice(i * ValuesPerAnchor, ValuesPerAnchor);
            Point[] points = new Point[PointCount];
            for (int p = 0; p < PointCount; p++)
            {
                points[p] = new Point(x + box[4 + (2 * p)], y + box[5 + (2 * p)]);
            }

            faces.Add(new BlazeFace(new Point(x + box[0], y + box[1]), box[2], box[3], points, score));
        }

        return faces;
    }

    /// <summary>Frees the model.</summary>
    public void Dispose() => session.Dispose();

    private BlazeFace Mirror(BlazeFace face)
    {
        Point At(int point) => Flip(face.Points[point]);
        Point Flip(Point p) => p with { X = Size - 1 - p.X };
        return face with { Center = Flip(face.Center), Points = [At(1), At(0), At(2), At(3), At(5), At(4)] };
    }

    /// <summary>The outputs of a network: scores of each grid, then boxes of each grid; cells per row and anchors per cell of each grid.</summary>
    private sealed record Layout(string[] Outputs, (int Cells, int Anchors)[] Grids, bool ChannelsLast)
    {
        public bool Matches(OnnxSession session) => Grids.Index().All(grid =>
            Has(session, grid.Index, grid.Item, 1) && Has(session, Grids.Length + grid.Index, grid.Item, ValuesPerAnchor));

        private bool Has(OnnxSession session, int output, (int Cells, int Anchors) grid, int values) =>
            session.Outputs.TryGetValue(Outputs[output], out NodeMetadata? found)
            && found.Dimensions is [_, int count, int size] && count == grid.Cells * grid.Cells * grid.Anchors && size == values;
    }
}
