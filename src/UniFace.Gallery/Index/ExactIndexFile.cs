namespace UniFace.Gallery.Index;

/// <summary>An index in a file.</summary>
public sealed unsafe partial class ExactIndex
{
    private IndexFile? file;

    /// <summary>
    /// Opens a stored index: its codes are read and checked, its rows are read when they are asked for. What is added or removed later changes memory only: store it again to keep it.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="stamp">What it is a picture of; the caller checks that this still holds.</param>
    /// <exception cref="UniFaceException">The file is missing, of another version, cut off or damaged.</exception>
    public static ExactIndex Open(string path, out IndexStamp stamp)
    {
        IndexFile file = IndexFile.Open(path);
        stamp = file.Header.Stamp;
        ExactIndex index = new(file.Header.Dimension) { file = file };
        RowBlock block = file.Block;
        long present = 0;
        for (int row = 0; row < block.Used; row++)
        {
            present += block.IsPresent(row) ? 1 : 0;
        }

        index.count = present;
        index.largestNorm = file.Header.LargestNorm;
        index.blocks = block.Used > 0 ? [block] : [];
        return index;
    }

    /// <summary>Stores the rows that are there. Searches may run; rows must not be added or removed by others meanwhile.</summary>
    /// <param name="path">The file.</param>
    /// <param name="stamp">What it is a picture of.</param>
    public void Save(string path, IndexStamp stamp)
    {
        lock (gate)
        {
            IndexFile.Write(path, Dimension, Present(), largestNorm, stamp);
        }
    }

    /// <summary>True where another index has the same ids, keys and values.</summary>
    internal bool HasSameRows(ExactIndex other)
    {
        List<(RowBlock Block, int Row)> mine, others;
        lock (gate)
        {
            mine = Present();
        }

        lock (other.gate)
        {
            others = other.Present();
        }

        return mine.Count == others.Count && mine.Zip(others).All(pair =>
            pair.First.Block.Ids[pair.First.Row] == pair.Second.Block.Ids[pair.Second.Row]
            && pair.First.Block.Keys[pair.First.Row] == pair.Second.Block.Keys[pair.Second.Row]
            && pair.First.Block.Row(pair.First.Row).SequenceEqual(pair.Second.Block.Row(pair.Second.Row)));
    }

    /// <summary>
    /// Overwrites rows of a stored index in its file and reads them back, so that nothing of them is left there; the stamp stays. A kill in the midst leaves an
    /// index that is found damaged when it is opened.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="owner">Whose index it must be.</param>
    /// <param name="ids">Ids of the rows; those that it does not have are passed over.</param>
    /// <exception cref="UniFaceException">The file is missing, of another version or owner, cut off or damaged; or the rows are still there.</exception>
    public static void Erase(string path, string owner, IReadOnlyCollection<long> ids) => IndexFile.Erase(path, owner, ids);

    // Rows of the file are in the order of their ids.
    private (RowBlock Block, int Row)? FindMapped(long id)
    {
        if (file is null)
        {
            return null;
        }

        int row = new ReadOnlySpan<long>(file.Block.Ids, file.Block.Used).BinarySearch(id);
        return row >= 0 && file.Block.IsPresent(row) ? (file.Block, row) : null;
    }

    // The rows that are there, in the order of their ids.
    private List<(RowBlock Block, int Row)> Present()
    {
        List<(long Id, RowBlock Block, int Row)> rows = [];
        foreach (RowBlock block in blocks)
        {
            for (int row = 0; row < block.Used; row++)
            {
                if (block.IsPresent(row))
                {
                    rows.Add((block.Ids[row], block, row));
                }
            }
        }

        rows.Sort((a, b) => a.Id.CompareTo(b.Id));
        return rows.ConvertAll(r => (r.Block, r.Row));
    }
}
