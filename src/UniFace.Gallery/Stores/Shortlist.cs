namespace UniFace.Gallery.Stores;

/// <summary>A template that a store returned for a probe, with its exact score.</summary>
internal readonly record struct ScoredTemplate(string Person, long Id, double Score);

/// <summary>
/// Finds the best people in a store that ranks templates with rounding errors: requests more and more templates until no other template can be
/// among the best.
/// </summary>
internal static class Shortlist
{
    /// <summary>Finds the best people for each probe, [probes, D].</summary>
    public static async Task<IReadOnlyList<IReadOnlyList<GalleryCandidate>>> SearchAsync(
        GalleryInfo info, ReadOnlyMemory<float> probes, Func<ReadOnlyMemory<float>, Task<IReadOnlyList<GalleryCandidate>>> find)
    {
        List<IReadOnlyList<GalleryCandidate>> found = [];
        for (int at = 0; at < probes.Length; at += info.EmbeddingSize)
        {
            found.Add(await find(probes.Slice(at, info.EmbeddingSize)).ConfigureAwait(false));
        }

        return found;
    }

    /// <summary>The best people, best first.</summary>
    /// <param name="people">How many people.</param>
    /// <param name="slack">By how much the exact score of a template can exceed that of a template that the store ranks higher.</param>
    /// <param name="most">Most templates to request.</param>
    /// <param name="request">Requests a number of templates; returns how many there were, and the valid ones.</param>
    public static async Task<IReadOnlyList<GalleryCandidate>> FindAsync(
        int people, double slack, int most, Func<int, Task<(int Returned, IReadOnlyList<ScoredTemplate> Valid)>> request)
    {
        for (long count = (4L * people) + 32; ; count *= 8)
        {
            int requested = (int)Math.Min(count, Math.Max(most, people));
            (int returned, IReadOnlyList<ScoredTemplate> found) = await request(requested).ConfigureAwait(false);
            IReadOnlyList<GalleryCandidate> best = Rank(found, people);
            bool settled = best.Count == people && found.Min(f => f.Score) < best[^1].Score - slack;
            if (settled || returned < requested || requested >= most)
            {
                return best;
            }
        }
    }

    /// <summary>The best people among some templates, best first; people with equal scores are in the order of their ids.</summary>
    public static IReadOnlyList<GalleryCandidate> Rank(IEnumerable<ScoredTemplate> templates, int people) =>
    [
        .. templates.OrderByDescending(t => t.Score).ThenBy(t => t.Id).DistinctBy(t => t.Person).Take(people)
            .Select(t => new GalleryCandidate(t.Person, Math.Clamp(t.Score, -1, 1))),
    ];

    /// <summary>Scores a template; null if it is damaged, which is recorded.</summary>
    public static ScoredTemplate? Score(
        GalleryInfo info, string person, long id, ReadOnlySpan<float> embedding, ReadOnlySpan<float> probe, ConcurrentDictionary<long, string> damage)
    {
        if (info.IsValid(embedding))
        {
            return new ScoredTemplate(person, id, ExactScore.Compute(probe, embedding));
        }

        // A template with a large norm would score above everybody.
        damage[id] = GalleryChecks.DescribeDamage(person, id, GalleryChecks.DescribeNorm(embedding));
        return null;
    }
}
