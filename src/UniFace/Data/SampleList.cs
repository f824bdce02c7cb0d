using System.Collections;

namespace UniFace.Data;

/// <summary>
/// Samples whose names are made when they are asked for, so that a set of many millions keeps no text per sample.
/// </summary>
/// <param name="count">Number of samples.</param>
/// <param name="label">Label of a sample.</param>
/// <param name="name">Name of a sample.</param>
internal sealed class SampleList(int count, Func<int, int> label, Func<int, string> name) : IReadOnlyList<FaceSample>
{
    /// <inheritdoc/>
    public int Count => count;

    /// <inheritdoc/>
    public FaceSample this[int index] => (uint)index < (uint)count
        ? new FaceSample(name(index), label(index))
        : throw new ArgumentOutOfRangeException(nameof(index));

    /// <summary>The label of a sample, without its name.</summary>
    public int LabelOf(int index) => label(index);

    /// <inheritdoc/>
    public IEnumerator<FaceSample> GetEnumerator()
    {
        for (int i = 0; i < count; i++)
        {
            yield return this[i];
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
