namespace UniFace.Gallery;

/// <summary>A newly enrolled face that is also enrolled under another name.</summary>
/// <param name="Photo">The photo.</param>
/// <param name="Person">The name under which it was enrolled.</param>
/// <param name="Other">The other person, with the score of the face.</param>
internal sealed record LookAlike(string Photo, string Person, GalleryCandidate Other);

/// <summary>The template of an enrolled photo.</summary>
/// <param name="Id">Its id.</param>
/// <param name="IsNew">False if the photo was enrolled for this person before; then the template is the existing one.</param>
internal readonly record struct EnrolledTemplate(long Id, bool IsNew);

/// <summary>
/// Enrolls many photos in batches. Photos that are already enrolled are counted and not stored again, so an interrupted enrollment continues when
/// it is repeated.
/// </summary>
/// <param name="gallery">The gallery.</param>
/// <param name="contractId">The contract of the embeddings.</param>
/// <param name="rule">Finds faces that are also enrolled under another name; null to skip the search.</param>
internal sealed class GalleryEnroller(StoredGallery gallery, string contractId, LookAlikeRule? rule)
{
    private readonly Dictionary<string, IReadOnlyDictionary<long, string?>> known = [];
    private readonly HashSet<(string, string)> pairs = [];
    private readonly HashSet<string> people = [];
    private readonly HashSet<long> added = [];
    private readonly List<LookAlike> lookAlikes = [];

    /// <summary>Number of new templates.</summary>
    public int Enrolled => added.Count;

    /// <summary>Number of photos that were enrolled before.</summary>
    public int AlreadyEnrolled { get; private set; }

    /// <summary>Number of people with new templates.</summary>
    public int People => people.Count;

    /// <summary>New faces that are also enrolled under another name, one for each two people.</summary>
    public IReadOnlyList<LookAlike> LookAlikes => lookAlikes;

    /// <summary>Whether a photo of a person is already enrolled; if so, it is counted.</summary>
    /// <param name="person">The person.</param>
    /// <param name="sha256">SHA-256 of the photo, lower-case hexadecimal.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public async Task<bool> IsEnrolledAsync(string person, string sha256, CancellationToken cancellationToken)
    {
        bool enrolled = (await GetTemplatesAsync(person, cancellationToken).ConfigureAwait(false)).Values.Contains(sha256);
        AlreadyEnrolled += enrolled ? 1 : 0;
        return enrolled;
    }

    /// <summary>Enrolls photos. Concurrent calls for one person must wait for each other, or both may report a photo as new.</summary>
    /// <param name="batch">The photos, each with its source.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>The template of each photo.</returns>
    public async Task<IReadOnlyList<EnrolledTemplate>> EnrollAsync(IReadOnlyList<Enrollment> batch, CancellationToken cancellationToken)
    {
        if (batch.Count == 0)
        {
            return [];
        }

        foreach (string person in batch.Select(e => e.Person).Distinct())
        {
            await GetTemplatesAsync(person, cancellationToken).ConfigureAwait(false);
        }

        // A repeated photo, or one enrolled before galleries stored hashes of photos, gets the id of the existing template.
        IReadOnlyList<long> ids = await gallery.EnrollAsync(batch, contractId, cancellationToken).ConfigureAwait(false);
        EnrolledTemplate[] templates =
            [.. batch.Zip(ids, (e, id) => new EnrolledTemplate(id, !known[e.Person].ContainsKey(id) && added.Add(id)))];
        Enrollment[] fresh = [.. batch.Where((_, i) => templates[i].IsNew)];
        AlreadyEnrolled += batch.Count - fresh.Length;
        people.UnionWith(fresh.Select(e => e.Person));
        if (rule is not null && fresh.Length > 0)
        {
            float[] probes = [.. fresh.SelectMany(e => e.Embedding.ToArray())]; // [N, D]
            IReadOnlyList<IReadOnlyList<GalleryCandidate>> found =
                await gallery.SearchAsync(probes, contractId, LookAlikeRule.Candidates, cancellationToken).ConfigureAwait(false);
            lookAlikes.AddRange(
                from pair in fresh.Zip(found)
                from other in rule.Filter(pair.First.Person, pair.Second)
                where pairs.Add(Ordered(pair.First.Person, other.Person))
                select new LookAlike(pair.First.Source ?? "", pair.First.Person, other));
        }

        return templates;
    }

    private async Task<IReadOnlyDictionary<long, string?>> GetTemplatesAsync(string person, CancellationToken cancellationToken)
    {
        if (!known.TryGetValue(person, out IReadOnlyDictionary<long, string?>? templates))
        {
            known.Add(person, templates = await gallery.GetPhotosAsync(person, cancellationToken).ConfigureAwait(false));
        }

        return templates;
    }

    private static (string, string) Ordered(string a, string b) => string.CompareOrdinal(a, b) < 0 ? (a, b) : (b, a);
}
