namespace UniFace.Gallery.Index;

/// <summary>A row that was found.</summary>
/// <param name="Id">The row's id, as it was added.</param>
/// <param name="Key">The row's key: whom it belongs to.</param>
/// <param name="Score"><see cref="ExactScore.Of"/> of the query and the row: their inner product.</param>
public readonly record struct IndexHit(long Id, long Key, double Score) : IComparable<IndexHit>
{
    /// <summary>The order of answers: the larger score first, then the smaller id.</summary>
    public int CompareTo(IndexHit other)
    {
        int byScore = other.Score.CompareTo(Score);
        return byScore != 0 ? byScore : Id.CompareTo(other.Id);
    }

    /// <summary>True where the left one comes first.</summary>
    public static bool operator <(IndexHit left, IndexHit right) => left.CompareTo(right) < 0;

    /// <summary>True where the left one comes later.</summary>
    public static bool operator >(IndexHit left, IndexHit right) => left.CompareTo(right) > 0;

    /// <summary>True where the left one comes first or they are equal.</summary>
    public static bool operator <=(IndexHit left, IndexHit right) => left.CompareTo(right) <= 0;

    /// <summary>True where the left one comes later or they are equal.</summary>
    public static bool operator >=(IndexHit left, IndexHit right) => left.CompareTo(right) >= 0;
}
