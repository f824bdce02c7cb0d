namespace UniFace.Gallery.Stores;

/// <summary>The mean of a person's templates.</summary>
internal static class MeanTemplate
{
    /// <summary>The mean of one or more embeddings, [D], summed in double precision in the order given.</summary>
    public static float[] Compute(IReadOnlyList<float[]> templates)
    {
        double[] sum = new double[templates[0].Length];
        foreach (float[] template in templates)
        {
            for (int i = 0; i < sum.Length; i++)
            {
                sum[i] += template[i];
            }
        }

        return [.. sum.Select(s => (float)(s / templates.Count))];
    }
}
