using CsCheck;
using UniFace.Faces;

namespace UniFace.Tests.Faces;

/// <summary>The main face does not depend on the photo's size; it is the largest, unless its confidence is low or another is nearly as large.</summary>
public class MainFaceTests
{
    private static readonly Gen<DetectedFace> AnyFace =
        Gen.Select(Gen.Float[0, 900], Gen.Float[0, 700], Gen.Float[20, 400], Gen.Float[0.5f, 1], (x, y, side, score) => Face(x, y, side, score));

    [Fact]
    public void The_main_face_does_not_depend_on_the_size_of_the_photo() =>
        Gen.Select(AnyFace.List[1, 8], Gen.Int[-3, 3]).Sample((faces, power) =>
        {
            float scale = MathF.Pow(2, power);
            List<DetectedFace> scaled = [.. faces.Select(f => Face(f.X * scale, f.Y * scale, f.Width * scale, f.Score))];
            int chosen = faces.IndexOf(MainFace.Select(faces, 1024, 768)!);
            int chosenScaled = scaled.IndexOf(MainFace.Select(scaled, (int)(1024 * scale), (int)(768 * scale))!);
            Assert.Equal(MainFace.Weight(faces[chosen], 1024, 768), MainFace.Weight(faces[chosenScaled], 1024, 768), 1e-9);
            Assert.Equal(
                MainFace.IsAmbiguous(faces[chosen], faces, 1024, 768),
                MainFace.IsAmbiguous(scaled[chosen], scaled, (int)(1024 * scale), (int)(768 * scale)));
        });

    [Fact]
    public void A_whole_face_one_and_a_half_times_as_wide_wins_wherever_both_are() =>
        Gen.Select(
            Gen.Float[0, 900], Gen.Float[0, 700], Gen.Float[0, 1], Gen.Float[0, 1], Gen.Float[20, 200], Gen.Float[0.8f, 1]).Sample((
                x, y, u, v, side, score) =>
        {
            float large = side * 1.5f;
            DetectedFace small = Face(x, y, side, 1), whole = Face(u * (1024 - large), v * (768 - large), large, score);
            Assert.Same(whole, MainFace.Select([small, whole], 1024, 768));
        });

    [Fact]
    public void A_face_that_the_border_cuts_off_loses_against_a_whole_one_of_the_same_visible_area() =>
        Gen.Select(Gen.Float[-90, -10], Gen.Float[0, 668]).Sample((x, y) =>
        {
            DetectedFace cut = Face(x, y, 100, 0.9f), whole = new(0, y, 100 + x, 100, 0.9f, AlignmentTemplate.ArcFace112.Landmarks);
            Assert.True(MainFace.Weight(cut, 1024, 768) < MainFace.Weight(whole, 1024, 768));
            Assert.Equal(0, MainFace.Weight(Face(-200, y, 100, 0.9f), 1024, 768));
        });

    [Fact]
    public void A_low_confidence_detection_loses_against_a_confident_face_a_quarter_as_wide() =>
        Gen.Select(Gen.Float[0, 900], Gen.Float[0, 700], Gen.Float[1, 4]).Sample((x, y, times) =>
        {
            DetectedFace real = Face(0, 0, 160, 0.85f), doubted = Face(x, y, 160 * times, 0.51f);
            Assert.Same(real, MainFace.Select([doubted, real], 1024, 768));
        });

    [Fact]
    public void A_large_face_at_the_side_wins_over_a_small_central_one()
    {
        DetectedFace side = Face(50, 1150, 700, 0.9f), middle = Face(1940, 1440, 120, 0.9f);
        Assert.Same(side, MainFace.Select([middle, side], 4000, 3000));
        Assert.False(MainFace.IsAmbiguous(side, [middle, side], 4000, 3000));
    }

    [Fact]
    public void The_central_one_of_two_equal_faces_is_selected_and_the_photo_is_ambiguous()
    {
        DetectedFace central = Face(100, 100, 60, 0.9f), corner = Face(0, 0, 62, 0.9f), small = Face(0, 0, 25, 0.9f), again = Face(110, 110, 40, 0.9f);
        Assert.Same(central, MainFace.Select([corner, central], 260, 260));
        Assert.True(MainFace.IsAmbiguous(central, [corner, central], 260, 260));
        Assert.False(MainFace.IsAmbiguous(central, [small, central], 260, 260));
        Assert.False(MainFace.IsAmbiguous(central, [again, central], 260, 260));
        Assert.Null(MainFace.Select([], 260, 260));
    }

    private static DetectedFace Face(float x, float y, float side, float score) => new(x, y, side, side, score, AlignmentTemplate.ArcFace112.Landmarks);
}
