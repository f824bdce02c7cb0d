using TorchSharp;
using static TorchSharp.torch;

namespace UniFace.Studio.Maps;

/// <summary>Principal component analysis of embeddings.</summary>
internal static class PrincipalComponents
{
    /// <summary>Projects unit rows onto their K principal components, where K is the smaller of N and D.</summary>
    /// <param name="embeddings">[N, D], row after row; normalised here.</param>
    /// <param name="count">N.</param>
    /// <returns>[N, K], row after row, centred; and the share of the variance in the first two components.</returns>
    public static (double[] Rows, double Share) Project(float[] embeddings, int count)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable none = no_grad();
        Tensor rows = nn.functional.normalize(tensor(embeddings, [count, embeddings.Length / count]).to(ScalarType.Float64), dim: 1); // [N, D]
        (Tensor left, Tensor values, Tensor _) = linalg.svd(rows - rows.mean([0L], keepdim: true), fullMatrices: false); // [N, K], [K]
        Tensor projected = left * values; // [N, K]
        double[] squares = values.square().data<double>().ToArray();
        double total = squares.Sum();
        return (projected.contiguous().data<double>().ToArray(), total > 0 ? (squares[0] + squares.ElementAtOrDefault(1)) / total : 0);
    }
}
