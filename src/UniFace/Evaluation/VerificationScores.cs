namespace UniFace.Evaluation;

/// <summary>
/// The scores of pairs of faces and what is true of each pair: all that 1:1 metrics need. Scores are cosines, higher is
/// more alike; a pair matches at a threshold where its score is at or above it.
/// A pair with a face that could not be found is <b>missing</b>: it has no score of its own. It is an error in the
/// accuracy, whatever it should have been; in ROC, TAR and EER a missing pair of one person never matches (its score is
/// below all others) and a missing pair of two people is left out, because not finding a face is no merit in telling people apart.
/// </summary>
public sealed class VerificationScores
{
    /// <summary>The score that stands for a missing pair.</summary>
    public const double MissingScore = -1;

    internal readonly double[] ScoreArray;
    internal readonly bool[] SameArray;
    internal readonly int[]? FoldArray;
    internal readonly bool[]? MissingArray;
    internal readonly int[]? FirstPersonArray;
    internal readonly int[]? SecondPersonArray;

    /// <summary>Scores of pairs; the arrays are taken, not copied.</summary>
    /// <param name="scores">Cosine of each pair; ignored where the pair is missing.</param>
    /// <param name="same">True where both faces are one person.</param>
    /// <param name="folds">Fold of each pair for cross-validation, or null.</param>
    /// <param name="missing">True where a face of the pair was not found, or null for none.</param>
    /// <param name="firstPerson">Index from 0 of the first face's person, or null where people are not known.</param>
    /// <param name="secondPerson">Index from 0 of the second face's person; given with <paramref name="firstPerson"/>.</param>
    /// <exception cref="UniFaceException">A score is not finite; says which.</exception>
    /// <exception cref="ArgumentException">The arrays differ in length, or people contradict <paramref name="same"/>.</exception>
    public VerificationScores(double[] scores, bool[] same, int[]? folds = null, bool[]? missing = null, int[]? firstPerson = null, int[]? secondPerson = null)
    {
        ArgumentNullException.ThrowIfNull(scores);
        ArgumentNullException.ThrowIfNull(same);
        if (same.Length != scores.Length || Differs(folds) || Differs(missing) || Differs(firstPerson) || Differs(secondPerson) || (firstPerson is null) != (secondPerson is null))
        {
            throw new ArgumentException("scores, same, folds, missing and people must be as long as one another.", nameof(scores));
        }

        ScoreArray = scores;
        SameArray = same;
        FoldArray = folds;
        MissingArray = missing;
        FirstPersonArray = firstPerson;
        SecondPersonArray = secondPerson;
        for (int i = 0; i < scores.Length; i++)
        {
            if (missing is not null && missing[i])
            {
                scores[i] = MissingScore;
                Missing++;
            }
            else if (!double.IsFinite(scores[i]))
            {
                throw new UniFaceException(FormattableString.Invariant($"the score of pair {i} is {scores[i]}: a model gave an embedding that is not finite"));
            }

            if (firstPerson is not null && (firstPerson[i] < 0 || secondPerson![i] < 0 || (firstPerson[i] == secondPerson[i]) != same[i]))
            {
                throw new ArgumentException($"Pair {i}: people {firstPerson[i]} and {secondPerson![i]} contradict same = {same[i]}.", nameof(firstPerson));
            }

            SamePairs += same[i] ? 1 : 0;
        }

        bool Differs(Array? other) => other is not null && other.Length != scores.Length;
    }

    /// <summary>Number of pairs.</summary>
    public int Count => ScoreArray.Length;

    /// <summary>Pairs of one person, missing ones among them.</summary>
    public int SamePairs { get; }

    /// <summary>Pairs of two people, missing ones among them.</summary>
    public int DifferentPairs => Count - SamePairs;

    /// <summary>Pairs with a face that was not found.</summary>
    public int Missing { get; }

    /// <summary>Cosine of each pair.</summary>
    public ReadOnlySpan<double> Scores => ScoreArray;

    /// <summary>True where both faces of the pair are one person.</summary>
    public ReadOnlySpan<bool> Same => SameArray;

    /// <summary>Fold of each pair; empty where there are none.</summary>
    public ReadOnlySpan<int> Folds => FoldArray;

    /// <summary>True where the people of the pairs are known.</summary>
    public bool PeopleKnown => FirstPersonArray is not null;

    /// <summary>True where a face of pair <paramref name="pair"/> was not found.</summary>
    public bool IsMissing(int pair) => MissingArray is not null && MissingArray[pair];

    /// <summary>
    /// The same scores in <paramref name="count"/> folds of neighbours, the first (Count mod count) of them one larger:
    /// how a .bin of pairs is cut (scikit-learn's KFold without shuffling).
    /// </summary>
    /// <exception cref="UniFaceException">There are fewer pairs than folds.</exception>
    public VerificationScores WithContiguousFolds(int count = 10)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 2);
        if (Count < count)
        {
            throw new UniFaceException($"{Count} pairs cannot be cut into {count} folds: at least {count} pairs are needed");
        }

        int[] folds = new int[Count];
        int next = 0;
        for (int fold = 0; fold < count; fold++)
        {
            int size = Count / count + (fold < Count % count ? 1 : 0);
            folds.AsSpan(next, size).Fill(fold);
            next += size;
        }

        return new VerificationScores(ScoreArray, SameArray, folds, MissingArray, FirstPersonArray, SecondPersonArray);
    }
}
