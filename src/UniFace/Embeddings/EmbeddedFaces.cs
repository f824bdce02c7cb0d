namespace UniFace.Embeddings;

/// <summary>Embeddings of many images, some of which may show no face.</summary>
/// <param name="Values">[N, D], row after row; zeros if no face was found.</param>
/// <param name="Dimension">D.</param>
/// <param name="Found">[N], whether a face was found.</param>
internal sealed record EmbeddedFaces(float[] Values, int Dimension, bool[] Found)
{
    /// <summary>Embeddings of faces that were all found.</summary>
    /// <param name="values">[N, D], row after row.</param>
    /// <param name="dimension">D.</param>
    public EmbeddedFaces(float[] values, int dimension)
        : this(values, dimension, [.. Enumerable.Repeat(true, values.Length / dimension)])
    {
    }

    /// <summary>Number of images.</summary>
    public int Count => Found.Length;

    /// <summary>The embedding of an image, [D].</summary>
    public ReadOnlySpan<float> Row(int image) => Values.AsSpan(image * Dimension, Dimension);

    /// <summary>Cosine of two images' embeddings; both must be found.</summary>
    public double Cosine(int first, int second) => CosineSimilarity.Dot(Row(first), Row(second));

    /// <summary>The images with a face, with their labels.</summary>
    /// <param name="labels">[N], the person of each image.</param>
    public (EmbeddedFaces Faces, int[] Labels) WithoutMissing(IReadOnlyList<int> labels) => Select(labels, _ => true);

    /// <summary>The images with a face that are of certain people, with their labels.</summary>
    /// <param name="labels">[N], the person of each image.</param>
    /// <param name="isWanted">Whether a person is selected.</param>
    internal (EmbeddedFaces Faces, int[] Labels) Select(IReadOnlyList<int> labels, Func<int, bool> isWanted)
    {
        int[] selected = [.. Enumerable.Range(0, Count).Where(i => Found[i] && isWanted(labels[i]))];
        float[] values = new float[selected.Length * Dimension];
        for (int row = 0; row < selected.Length; row++)
        {
            Row(selected[row]).CopyTo(values.AsSpan(row * Dimension));
        }

        return (new EmbeddedFaces(values, Dimension), [.. selected.Select(i => labels[i])]);
    }
}
