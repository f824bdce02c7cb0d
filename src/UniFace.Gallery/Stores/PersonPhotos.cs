namespace UniFace.Gallery.Stores;

/// <summary>
/// The photos of a person's templates, identified by content. Templates of older galleries have no hash; they are recognised by their
/// embedding, because the same model gives the same photo the same embedding except for rounding.
/// </summary>
internal sealed class PersonPhotos
{
    private const double Rounding = 1e-4;

    private readonly Dictionary<string, long> known = [];
    private readonly List<(long Id, float[] Embedding)> unknown = [];

    /// <summary>The photos of a person's templates.</summary>
    /// <param name="templates">Each template: id, SHA-256 of the photo if known, embedding if it is not.</param>
    public PersonPhotos(IEnumerable<(long Id, string? Sha256, float[]? Embedding)> templates)
    {
        foreach ((long id, string? sha256, float[]? embedding) in templates)
        {
            if (sha256 is not null)
            {
                known.TryAdd(sha256, id);
            }
            else if (embedding is not null)
            {
                unknown.Add((id, embedding));
            }
        }
    }

    /// <summary>The template of a photo; adds the photo as template <paramref name="newId"/> if it is new.</summary>
    /// <param name="sha256">SHA-256 of the photo.</param>
    /// <param name="face">The photo's embedding.</param>
    /// <param name="newId">Id of the template if the photo is new.</param>
    /// <param name="learned">True if an existing template had no hash yet; the hash is to be stored with it.</param>
    public long FindOrAdd(string sha256, ReadOnlySpan<float> face, long newId, out bool learned)
    {
        learned = false;
        if (known.TryGetValue(sha256, out long id))
        {
            return id;
        }

        id = newId;
        double least = (1 - Rounding) * GalleryChecks.Norm(face);
        for (int i = 0; i < unknown.Count && !learned; i++)
        {
            (long candidate, float[] embedding) = unknown[i];
            learned = ExactScore.Compute(embedding, face) > least * GalleryChecks.Norm(embedding);
            if (learned)
            {
                id = candidate;
                unknown.RemoveAt(i);
            }
        }

        known.Add(sha256, id);
        return id;
    }
}
