using UniFace.Gallery.Index;

namespace UniFace.Gallery;

/// <summary>
/// The photos of which a person has templates, by content. Templates of before hashes were kept are recognised by their embedding once: the same
/// model gives the same photo the same embedding but for rounding.
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

    /// <summary>The template of a photo; null if the photo is new.</summary>
    /// <param name="enrolment">The photo, its hash given.</param>
    /// <param name="recognised">True if the template had no hash yet, which is to be stored now.</param>
    public long? Find(Enrolment enrolment, out bool recognised)
    {
        recognised = false;
        if (known.TryGetValue(enrolment.PhotoSha256!, out long id))
        {
            return id;
        }

        ReadOnlyMemory<float> face = enrolment.Embedding;
        double least = (1 - Rounding) * EmbeddingCheck.Norm(face.Span);
        int at = unknown.FindIndex(u => ExactScore.Of(u.Embedding, face.Span) > least * EmbeddingCheck.Norm(u.Embedding));
        if (at < 0)
        {
            return null;
        }

        recognised = true;
        id = unknown[at].Id;
        unknown.RemoveAt(at);
        Add(enrolment, id);
        return id;
    }

    /// <summary>Adds the template of a new photo.</summary>
    public void Add(Enrolment enrolment, long id) => known.Add(enrolment.PhotoSha256!, id);
}
