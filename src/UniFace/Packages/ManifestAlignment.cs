namespace UniFace.Packages;

/// <summary>How faces are aligned for a model: the part of a manifest that becomes an <see cref="AlignmentTemplate"/>.</summary>
internal sealed record ManifestAlignment
{
    /// <summary>
    /// The five points [x, y] in pixels of the aligned face: left eye, right eye, nose, left and right mouth corner, as the viewer sees them.
    /// </summary>
    public required IReadOnlyList<IReadOnlyList<float>> Landmarks { get; init; }

    /// <summary>The pixels outside of the photo.</summary>
    public CropBorder Border { get; init; }

    /// <summary>How the photo is sampled.</summary>
    public CropSampling Sampling { get; init; }

    /// <summary>Its part of a contract id.</summary>
    internal string Identity => "|" + string.Join(
        ',', Landmarks.SelectMany(point => point).Select(value => Invariant($"{value:R}"))) + $"|{Border}|{Sampling}";

    /// <summary>Whether it has five different points, in or near a crop of a size.</summary>
    internal bool IsValid(int width, int height) => Enum.IsDefined(Border) && Enum.IsDefined(Sampling) && Landmarks is { Count: 5 }
        && Landmarks.All(point => point is [float x, float y] && x > -width && x < 2 * width && y > -height && y < 2 * height)
        && CropAligner.CanFit(ToLandmarks());

    internal AlignmentTemplate CreateTemplate(string name, int width, int height) =>
        new(name, width, height, ToLandmarks()) { Border = Border, Sampling = Sampling };

    private FaceLandmarks ToLandmarks()
    {
        Point[] points = [.. Landmarks.Select(point => new Point(point[0], point[1]))];
        return new FaceLandmarks(points[0], points[1], points[2], points[3], points[4]);
    }
}
