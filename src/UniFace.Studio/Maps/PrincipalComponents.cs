using static TorchSharp.torch;

namespace UniFace.Studio.Maps;

/// <summary>Principal component analysis of embeddings.</summary>
internal static class PrincipalComponents
{
    /// <summary>Projects rows onto their K principal components, where K is the smaller of N and D.</summary>
    /// <param name="embeddings">[N, D]; normalised here.</param>
    /// <returns>[N, K], float64, centred; and the share of the variance in the first two components.</returns>
    public static (Tensor Rows, double Share) Project(Tensor embeddings)
    {
        Tensor rows = nn.functional.normalize(embeddings.to(ScalarType.Float64), dim: 1); // [N, D]
        (Tensor left, Tensor values, Tensor _) = linalg.svd(rows - rows.mean([0L], keepdim: true), fullMatrices: false); // [N, K], [K]
        double[] variances = values.square().data<double>().ToArray();
        double total = variances.Sum();
        return (left * values, total > 0 ? variances.Take(2).Sum() / total : 0);
    }
}
