namespace UniFace.Training.Head.Objectives;

/// <summary>ln(sum of e^x) of each row of a matrix that comes in tiles of columns: the largest value so far and the sum relative to it.</summary>
internal sealed class RunningLogSumExp(long rows, ScalarType dtype, Device device)
{
    /// <summary>Stands for negative infinity where differences are taken.</summary>
    private const double Lowest = -1e30;

    /// <summary>The same within the range of float16, which curves can be computed in.</summary>
    private const double LowestHalf = -6e4;
    private readonly Tensor largest = full([rows, 1], dtype == ScalarType.Float16 ? LowestHalf : Lowest, dtype: dtype, device: device); // [B, 1]
    private readonly Tensor sum = zeros([rows, 1], dtype: dtype, device: device); // [B, 1]

    /// <summary>ln(sum of e^x) over everything added, [B, 1].</summary>
    public Tensor Value => largest + sum.log();

    /// <summary>Adds a tile, [B, T], which is overwritten.</summary>
    public void Add(Tensor tile)
    {
        Tensor next = maximum(largest, tile.amax([1], keepdim: true)); // [B, 1]
        sum.mul_((largest - next).exp_()).add_(tile.sub_(next).exp_().sum(1, keepdim: true));
        largest.copy_(next);
    }
}
