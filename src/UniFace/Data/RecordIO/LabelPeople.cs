namespace UniFace.Data.RecordIO;

/// <summary>People of a set that has numeric labels: numbered in the order of their labels, which need not be contiguous, and named by them.</summary>
internal sealed class LabelPeople
{
    /// <summary>Float32 holds every whole number up to here; above, labels and keys in a record are rounded.</summary>
    public const float MaxExactLabel = 1 << 24;

    private readonly int[] labels;

    public LabelPeople(IEnumerable<int> labels)
    {
        this.labels = [.. labels.Distinct().Order()];
        Names = [.. this.labels.Select(label => label.ToString(CultureInfo.InvariantCulture))];
    }

    /// <summary>The labels as text, in numeric order.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Tells if the labels have gaps; empty otherwise.</summary>
    public IReadOnlyList<string> Warnings => labels[^1] == labels.Length - 1
        ? []
        : [$"labels are not 0 to {labels.Length - 1} (the largest is {labels[^1]}); people are numbered in their order and named by them"];

    /// <summary>Index of a label's person.</summary>
    public int IndexOf(int label) => Array.BinarySearch(labels, label);

    /// <summary>Parses a label such as "3" or "3.000000".</summary>
    public static bool TryParse(string text, out int label)
    {
        bool valid = float.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out float value)
            && value <= MaxExactLabel && value == MathF.Floor(value);
        label = valid ? (int)value : 0;
        return valid;
    }
}
