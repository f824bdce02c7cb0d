namespace UniFace.Evaluation.Verification;

/// <summary>
/// Scores and ground truth of pairs of faces: the input of 1:1 metrics. Scores are cosines; a pair matches at a threshold if its score is at
/// or above it. A pair with a face that was not found is <b>missing</b> and has no score. It is an error in the accuracy. In ROC, TAR and
/// EER a missing mated pair never matches (its score is below all others), and a missing non-mated pair is skipped, so that a model gains
/// nothing from faces that are not found.
/// </summary>
public sealed class VerificationScores
{
    /// <summary>The score of a missing pair.</summary>
    public const double MissingScore = -1;

    private readonly double[] scores;
    private readonly bool[] same;
    private readonly int[]? folds;
    private readonly bool[]? missing;
    private readonly int[]? firstPerson;
    private readonly int[]? secondPerson;

    /// <summary>Scores of pairs. The arrays are not changed here and must not be changed later.</summary>
    /// <param name="scores">Cosine of each pair; ignored where the pair is missing.</param>
    /// <param name="same">Whether both faces are one person.</param>
    /// <param name="folds">Fold of each pair for cross-validation, or null.</param>
    /// <param name="missing">Whether a face of the pair was not found, or null for none.</param>
    /// <param name="firstPerson">Index from 0 of the first face's person, or null if people are unknown.</param>
    /// <param name="secondPerson">Index from 0 of the second face's person; given with <paramref name="firstPerson"/>.</param>
    /// <exception cref="UniFaceException">A score is not finite; the message names it.</exception>
    /// <exception cref="ArgumentException">The arrays differ in length, or people contradict <paramref name="same"/>.</exception>
    public VerificationScores(
        double[] scores, bool[] same, int[]? folds = null, bool[]? missing = null, int[]? firstPerson = null, int[]? secondPerson = null)
    {
        Array?[] others = [same, folds, missing, firstPerson, secondPerson];
        if (others.Any(other => other is not null && other.Length != scores.Length) || (firstPerson is null) != (secondPerson is null))
        {
            throw new ArgumentException("scores, same, folds, missing and people must have equal lengths.", nameof(scores));
        }

        this.scores = missing is null ? scores : [.. scores.Select((score, i) => missing[i] ? MissingScore : score)];
        (this.same, this.folds, this.missing) = (same, folds, missing);
        (this.firstPerson, this.secondPerson) = (firstPerson, secondPerson);
        for (int i = 0; i < scores.Length; i++)
        {
            if (IsMissing(i))
            {
                Missing++;
            }
            else if (!double.IsFinite(scores[i]))
            {
                throw new UniFaceException(
                    Invariant($"the score of pair {i} is {scores[i]}: the model returned an embedding that is not finite"));
            }

            if (firstPerson is not null && (firstPerson[i] < 0 || secondPerson![i] < 0 || (firstPerson[i] == secondPerson[i]) != same[i]))
            {
                throw new ArgumentException($"Pair {i}: people {firstPerson[i]} and {secondPerson![i]} contradict same = {same[i]}.", nameof(firstPerson));
            }

            SamePairs += same[i] ? 1 : 0;
        }
    }

    /// <summary>Number of pairs.</summary>
    public int Count => scores.Length;

    /// <summary>Mated pairs, including missing ones.</summary>
    public int SamePairs { get; }

    /// <summary>Non-mated pairs, including missing ones.</summary>
    public int DifferentPairs => Count - SamePairs;

    /// <summary>Pairs with a face that was not found.</summary>
    public int Missing { get; }

    /// <summary>Cosine of each pair.</summary>
    public ReadOnlySpan<double> Scores => scores;

    /// <summary>Whether both faces of the pair are one person.</summary>
    public ReadOnlySpan<bool> Same => same;

    /// <summary>Fold of each pair; empty without folds.</summary>
    public ReadOnlySpan<int> Folds => folds;

    /// <summary>Index of the first face's person for each pair; empty if people are unknown.</summary>
    internal ReadOnlySpan<int> FirstPeople => firstPerson;

    /// <summary>Index of the second face's person for each pair; empty if people are unknown.</summary>
    internal ReadOnlySpan<int> SecondPeople => secondPerson;

    /// <summary>Whether the people of the pairs are known.</summary>
    public bool PeopleKnown => firstPerson is not null;

    /// <summary>Whether a face of pair <paramref name="pair"/> was not found.</summary>
    public bool IsMissing(int pair) => missing?[pair] == true;

    /// <summary>The pairs of several sets of people as one set. Nobody is in two of them, so each person is counted once.</summary>
    /// <param name="sets">Scores with people.</param>
    /// <exception cref="ArgumentException">The people of a set are unknown.</exception>
    public static VerificationScores Concatenate(IReadOnlyList<VerificationScores> sets)
    {
        ArgumentNullException.ThrowIfNull(sets);
        if (sets.Any(set => !set.PeopleKnown))
        {
            throw new ArgumentException("Scores without people cannot be put together.", nameof(sets));
        }

        int[] offsets = new int[sets.Count];
        for (int i = 1; i < sets.Count; i++)
        {
            VerificationScores last = sets[i - 1];
            offsets[i] = offsets[i - 1] + Math.Max(last.firstPerson!.Max(), last.secondPerson!.Max()) + 1;
        }

        return new VerificationScores(
            [.. sets.SelectMany(set => set.scores)],
            [.. sets.SelectMany(set => set.same)],
            missing: [.. sets.SelectMany(set => set.missing ?? new bool[set.Count])],
            firstPerson: [.. sets.SelectMany((set, i) => set.firstPerson!.Select(person => person + offsets[i]))],
            secondPerson: [.. sets.SelectMany((set, i) => set.secondPerson!.Select(person => person + offsets[i]))]);
    }

    /// <summary>
    /// The same scores in <paramref name="count"/> contiguous folds, the first (Count mod count) of them one larger, as in scikit-learn's
    /// KFold without shuffling.
    /// </summary>
    /// <exception cref="UniFaceException">There are fewer pairs than folds.</exception>
    public VerificationScores WithContiguousFolds(int count = 10)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 2);
        if (Count < count)
        {
            throw new UniFaceException($"{Count} pairs cannot be cut into {count} folds: at least {count} pairs are needed");
        }

        return new VerificationScores(scores, same, ContiguousFolds(Count, count), missing, firstPerson, secondPerson);
    }

    /// <summary>The fold of each of <paramref name="pairs"/> pairs in <paramref name="count"/> contiguous folds.</summary>
    internal static int[] ContiguousFolds(int pairs, int count) =>
        [.. Enumerable.Range(0, count).SelectMany(fold => Enumerable.Repeat(fold, pairs / count + (fold < pairs % count ? 1 : 0)))];
}
