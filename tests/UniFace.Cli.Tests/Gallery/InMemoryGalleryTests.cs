using CsCheck;
using UniFace.Gallery;

namespace UniFace.Cli.Tests.Gallery;

public class InMemoryGalleryTests
{
    private const string Contract = "contract-a";

    // Few directions, so that equal scores happen.
    private static readonly Gen<float[]> Unit = Gen.Int[-2, 2].Array[3].Where(v => v.Any(x => x != 0)).Select(v =>
    {
        float norm = MathF.Sqrt(v.Sum(x => x * x));
        return v.Select(x => x / norm).ToArray();
    });

    private static readonly Gen<(int Person, float[] Template)[]> Enrolments = Gen.Select(Gen.Int[0, 8], Unit).Array[0, 30];

    [Fact]
    public void The_answer_is_that_of_comparing_with_everybody() => Gen.Select(Enrolments, Unit, Gen.Double[-1, 1]).Sample((enrolments, probe, threshold) =>
    {
        InMemoryGallery gallery = Gallery(enrolments);
        GalleryCandidate[] expected = [.. enrolments
            .GroupBy(e => Name(e.Person))
            .Select(g => new GalleryCandidate(g.Key, g.Max(e => Math.Clamp(e.Template.Zip(probe, (a, b) => (double)a * b).Sum(), -1, 1))))
            .OrderByDescending(c => c.Score).ThenBy(c => c.Person, StringComparer.Ordinal)];
        Identification answer = gallery.Identify(probe, Contract, threshold, 3);
        Assert.Equal(expected.Take(3).Select(c => c.Person), answer.Candidates.Select(c => c.Person));
        Assert.All(expected.Zip(answer.Candidates), pair => Assert.Equal(pair.First.Score, pair.Second.Score, 1e-6));
        Assert.Equal(answer.Candidates.Count > 0 && answer.Candidates[0].Score >= threshold ? answer.Candidates[0].Person : null, answer.Person);
        Assert.Equal(answer.Person is not null, answer.IsMatch);
    });

    [Fact]
    public void The_order_of_enrolment_does_not_change_the_answer() => Gen.Select(Enrolments, Unit).Sample((enrolments, probe) =>
    {
        (int, float[])[] reversed = [.. enrolments.Reverse()];
        Assert.Equal(Gallery(enrolments).Identify(probe, Contract, 0.5, 9).Candidates, Gallery(reversed).Identify(probe, Contract, 0.5, 9).Candidates);
    });

    [Fact]
    public void A_removed_person_is_found_no_more_and_nobody_else_is_missing() => Gen.Select(Enrolments.Where(e => e.Length > 0), Unit).Sample((enrolments, probe) =>
    {
        InMemoryGallery gallery = Gallery(enrolments);
        string gone = Name(enrolments[0].Person);
        Assert.True(gallery.Remove(gone));
        Assert.False(gallery.Remove(gone));
        Assert.DoesNotContain(gone, gallery.People);
        Assert.Equal(Gallery([.. enrolments.Where(e => Name(e.Person) != gone)]).Identify(probe, Contract, 0, 9).Candidates, gallery.Identify(probe, Contract, 0, 9).Candidates);
    });

    [Fact]
    public void An_enrolled_template_finds_its_person_and_an_empty_gallery_knows_nobody()
    {
        InMemoryGallery gallery = new(Contract, 3);
        Assert.Null(gallery.Identify([1, 0, 0], Contract, -1).Person);
        float[] own = [0.6f, 0.8f, 0];
        gallery.Enrol("ann", own, Contract);
        own[0] = -1; // the gallery keeps its own copy
        Assert.Equal("ann", gallery.Identify([0.6f, 0.8f, 0], Contract, 0.999).Person);
    }

    [Fact]
    public void Embeddings_of_another_model_size_or_norm_are_refused()
    {
        InMemoryGallery gallery = new(Contract, 3);
        Assert.Contains("contract", Assert.Throws<UniFaceException>(() => gallery.Enrol("a", [1f, 0, 0], "contract-b")).Message, StringComparison.Ordinal);
        Assert.Throws<UniFaceException>(() => gallery.Identify([1f, 0, 0], "contract-b", 0));
        Assert.Throws<UniFaceException>(() => gallery.Enrol("a", [1f, 0], Contract));
        Assert.Throws<UniFaceException>(() => gallery.Enrol("a", [1f, 1, 0], Contract));
        Assert.Throws<UniFaceException>(() => gallery.Enrol("a", [float.NaN, 1, 0], Contract));
        Assert.Throws<UniFaceException>(() => gallery.Identify([1f, 0, 0], Contract, double.NaN));
        Assert.Empty(gallery.People);
    }

    private static string Name(int person) => "person " + person;

    private static InMemoryGallery Gallery((int Person, float[] Template)[] enrolments)
    {
        InMemoryGallery gallery = new(Contract, 3);
        foreach ((int person, float[] template) in enrolments)
        {
            gallery.Enrol(Name(person), template, Contract);
        }

        return gallery;
    }
}
