namespace UniFace.Training.Losses.Curves;

/// <summary>Where the curves of a loss are computed. The loss is in its initial state: running means have not moved.</summary>
internal sealed record CurveOptions
{
    /// <summary>Points times classes that one call computes at most.</summary>
    private const long MaxCells = 20_000_000;

    /// <summary>C: the sample's own class and C - 1 others. 2 to 100,000.</summary>
    public int Classes { get; init; } = 10_000;

    /// <summary>Length of the embedding, for losses that depend on it: above 0, up to 1,000.</summary>
    public double Length { get; init; } = 30;

    /// <summary>Cosine of the sample with every other class: -1 to 1. Random directions in many dimensions have 0.</summary>
    public double OtherCosine { get; init; }

    /// <summary>Points per curve: 2 to 2,000.</summary>
    public int Points { get; init; } = 181;

    /// <summary>Angle between the two class centers of the decision boundary, in radians: above 0, up to pi.</summary>
    public double CentersApart { get; init; } = Math.PI / 2;

    /// <summary>
    /// Bits of the floating-point numbers that the margin and the objective compute in: 64 shows the curve itself, 32 what training
    /// computes in, 16 what training would see if the loss were not kept in float32.
    /// </summary>
    public int Bits { get; init; } = 64;

    /// <summary>Checks the ranges.</summary>
    /// <param name="nameOf">How an error calls a property, for example by its query parameter; null for its own name.</param>
    /// <exception cref="UniFaceException">A value is out of its range.</exception>
    public void Validate(Func<string, string>? nameOf = null)
    {
        nameOf ??= name => name;
        Require(Classes is >= 2 and <= 100_000, nameof(Classes), Classes, "2 to 100000");
        Require(Length is > 0 and <= 1000, nameof(Length), Length, "above 0, up to 1000");
        Require(Math.Abs(OtherCosine) <= 1, nameof(OtherCosine), OtherCosine, "-1 to 1");
        Require(Points is >= 2 and <= 2000, nameof(Points), Points, "2 to 2000");
        Require(CentersApart is > 0 and <= Math.PI, nameof(CentersApart), CentersApart, "above 0, up to pi radians");
        Require(Bits is 16 or 32 or 64, nameof(Bits), Bits, "16, 32 or 64");
        if ((long)Points * Classes > MaxCells)
        {
            throw new UniFaceException(
                $"{Points} points of {Classes} classes are too many for one call; points times classes are at most {MaxCells}.");
        }

        void Require(bool holds, string name, double value, string range)
        {
            if (!holds)
            {
                throw new UniFaceException(FormattableString.Invariant($"{nameOf(name)} = {value} is out of range; it is {range}."));
            }
        }
    }
}
