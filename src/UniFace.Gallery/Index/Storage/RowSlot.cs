namespace UniFace.Gallery.Index.Storage;

/// <summary>The place of a row: its block, and its number there.</summary>
internal readonly unsafe record struct RowSlot(RowBlock Block, int Row)
{
    /// <summary>Id of the row.</summary>
    public long Id => Block.Ids[Row];

    /// <summary>Key of the row's owner.</summary>
    public long Key => Block.Keys[Row];

    /// <summary>True if the row is present.</summary>
    public bool IsPresent => Block.Layout.IsPresent(Group, Lane);

    /// <summary>The values of the row, [D].</summary>
    /// <exception cref="UniFaceException">They are in a file that was cut off meanwhile, or cannot be read.</exception>
    public ReadOnlySpan<float> Values => Block.Row(Row);

    private byte* Group => Block.GroupOf(Row);

    private int Lane => Row % RowGroup.Rows;

    /// <summary>Writes a row to a block in memory.</summary>
    public void Write(long id, long key, ReadOnlySpan<float> values, ReadOnlySpan<sbyte> codes, Quantized quantized)
    {
        values.CopyTo(Block.OwnedRow(Row));
        Block.Ids[Row] = id;
        Block.Keys[Row] = key;
        Block.Layout.Write(Group, Lane, codes, quantized);
        Block.Used = Math.Max(Block.Used, Row + 1);
    }

    /// <summary>Copies the row's codes to a group.</summary>
    public void CopyTo(byte* group, int lane) => Block.Layout.Copy(Group, Lane, group, lane);

    /// <summary>Removes the row from searches. Its values and codes stay until <see cref="Wipe"/>.</summary>
    public void Remove() => Block.Layout.Remove(Group, Lane);

    /// <summary>Overwrites a removed row.</summary>
    public void Wipe()
    {
        Block.Layout.Wipe(Group, Lane);
        if (Block.IsOwned)
        {
            Block.OwnedRow(Row).Clear();
        }
    }
}
