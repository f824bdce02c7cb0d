using static TorchSharp.torch;

namespace UniFace.Studio.Maps;

/// <summary>
/// How far neighbours on a map are neighbours among the rows: 1 if every point's nearest are its row's nearest, about 0.5 for random positions (Venna and
/// Kaski, Neural Networks 19, 2006).
/// </summary>
internal static class Trustworthiness
{
    /// <summary>Measures a map.</summary>
    /// <param name="rows">[N, K]; compared by Euclidean distance.</param>
    /// <param name="positions">[N, 2].</param>
    /// <param name="neighbours">Number of nearest points compared: at least 1, below N / 2.</param>
    public static double Measure(Tensor rows, Tensor positions, int neighbours)
    {
        double count = rows.shape[0];
        Tensor ranks = TSne.SquaredDistances(rows).argsort(1).argsort(1) + 1; // [N, N]; 1: the nearest row
        Tensor near = TSne.SquaredDistances(positions).argsort(1).slice(1, 0, neighbours, 1); // [N, k]
        long penalty = (ranks.gather(1, near) - neighbours).clamp_min(0).sum().item<long>();
        return 1 - (2 / (count * neighbours * ((2 * count) - (3 * neighbours) - 1)) * penalty);
    }
}
