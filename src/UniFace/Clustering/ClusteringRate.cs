using UniFace.Packages;

namespace UniFace.Clustering;

/// <summary>
/// The false match rate to group faces at where none is asked for. Among N faces each is compared with N - 1 others: at a rate r it meets up to
/// (N - 1) r strangers as alike as the threshold, however many or few people there are. The rate is the one at which that is a half, so
/// that a face more often meets none than one; the more faces, the smaller the rate.
/// </summary>
public static class ClusteringRate
{
    private const double StrangersMet = 0.5;

    // Of few faces no more: a group would be wrong about as often as a verification at the usual rate.
    private const double Largest = 1e-3;

    /// <summary>The rate for so many faces, no smaller than the calibration can state.</summary>
    /// <param name="faces">How many faces, 1 or more.</param>
    /// <param name="calibration">The model's calibration.</param>
    /// <exception cref="UniFaceException">The calibration has no threshold at all.</exception>
    public static double For(int faces, Calibration calibration)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(faces, 1);
        ArgumentNullException.ThrowIfNull(calibration);
        double[] measured = [.. calibration.Entries.Where(e => e.Threshold is not null).Select(e => e.FalseMatchRate), .. calibration.Curve.Select(p => p.FalseMatchRate)];
        double stated = Math.Max(calibration.SmallestRate, measured.Length > 0 ? measured.Min() : throw new UniFaceException($"the calibration has no threshold ({calibration.Data.Name}): calibrate again on more people"));
        return Math.Max(Math.Min(Largest, StrangersMet / Math.Max(1, faces - 1)), stated);
    }
}
