using TorchSharp;
using static TorchSharp.torch;

namespace UniFace.Server.Runs;

/// <summary>Principal component analysis of embeddings: the directions in which unit rows differ most.</summary>
internal static class PrincipalComponents
{
    /// <summary>Coordinates of rows along their first components.</summary>
    /// <param name="embeddings">[N, D], row after row; of any length, they are made unit rows.</param>
    /// <param name="count">N.</param>
    /// <param name="most">Components wanted: K is this, or N or D where that is less.</param>
    /// <returns>[N, K], row after row, the mean taken off; and the share of the variance in the first two.</returns>
    public static (double[] Rows, double Share) Of(float[] embeddings, int count, int most)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable none = no_grad();
        Tensor rows = nn.functional.normalize(tensor(embeddings, [count, embeddings.Length / count]).to(ScalarType.Float64), dim: 1); // [N, D]
        (Tensor left, Tensor values, Tensor _) = linalg.svd(rows - rows.mean([0L], keepdim: true), fullMatrices: false); // [N, R], [R]
        long kept = Math.Min(most, values.shape[0]);
        Tensor along = left.narrow(1, 0, kept) * values.narrow(0, 0, kept); // [N, K]
        double[] squares = values.square().data<double>().ToArray();
        double total = squares.Sum();
        return (along.contiguous().data<double>().ToArray(), total > 0 ? (squares[0] + squares.ElementAtOrDefault(1)) / total : 0);
    }
}
