namespace UniFace.Gallery.Index.Search;

/// <summary>A row that a search found.</summary>
/// <param name="Id">The row's id.</param>
/// <param name="Key">Key of the row's owner.</param>
/// <param name="Score">Inner product of the query and the row, as <see cref="ExactScore"/> defines it.</param>
internal readonly record struct IndexHit(long Id, long Key, double Score) : IComparable<IndexHit>
{
    /// <summary>The order of answers: the larger score first, then the smaller id.</summary>
    public int CompareTo(IndexHit other)
    {
        int byScore = other.Score.CompareTo(Score);
        return byScore != 0 ? byScore : Id.CompareTo(other.Id);
    }
}
