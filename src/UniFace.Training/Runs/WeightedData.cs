namespace UniFace.Training.Runs;

/// <summary>A further data set of a run.</summary>
/// <param name="Path">Path of the set.</param>
/// <param name="Weight">
/// How many times an epoch draws each image, on average: 1 each image once, 0.5 half of the images, each once in two epochs, 2 each image twice.
/// </param>
public sealed record WeightedData(string Path, double Weight = 1)
{
    /// <summary>The largest weight.</summary>
    internal const double MaxWeight = 1000;

    /// <summary>Parses "PATH" or "PATH:WEIGHT". A file or folder whose name ends so is taken as it is.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="UniFaceException">The weight is out of range.</exception>
    internal static WeightedData Parse(string text)
    {
        int colon = text.LastIndexOf(':');
        if (colon <= 0 || System.IO.Path.Exists(text)
            || !double.TryParse(text.AsSpan(colon + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out double weight))
        {
            return new WeightedData(text);
        }

        WeightedData parsed = new(text[..colon], weight);
        parsed.Validate();
        return parsed;
    }

    /// <summary>Checks the weight.</summary>
    /// <exception cref="UniFaceException">It is out of range.</exception>
    internal void Validate()
    {
        if (!(Weight > 0 && Weight <= MaxWeight))
        {
            throw new UniFaceException(FormattableString.Invariant($"{Path} has the weight {Weight}, expected a number above 0, up to {MaxWeight}."));
        }
    }
}
