namespace UniFace.Training.Losses.Objectives;

/// <summary>
/// An <see cref="ObjectiveStep"/> that also works on one sample's row of products at a time, without a tensor: what
/// <see cref="FusedTiles"/> drives, each row on whichever thread is free.
/// </summary>
internal interface IRowWork
{
    /// <summary>Begins; before this, an <see cref="ObjectiveStep"/> is worked with tensors.</summary>
    void Begin();

    /// <summary>Sees a row before any gradient, see <see cref="RowLoop.AddExponents"/>; the target's cell is masked.</summary>
    void Scan(int sample, ReadOnlySpan<float> products, ReadOnlySpan<float> inverse);

    /// <summary>Gives a row's gradient, see <see cref="RowLoop.Backward"/>; the target's cell is masked. Adds the row to the loss.</summary>
    /// <returns>The largest cosine.</returns>
    float Backward(int sample, Span<float> products, ReadOnlySpan<float> inverse, Span<float> along);

    /// <summary>All rows are done.</summary>
    void End();
}
