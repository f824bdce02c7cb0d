using CsCheck;
using UniFace.Faces;

namespace UniFace.Vision.Tests;

/// <summary>A fit is the least-squares similarity of the points, or is refused.</summary>
public class SimilarityTransformTests
{
    private static readonly Point[] Template =
    [
        AlignmentTemplate.ArcFace112.Landmarks.LeftEye, AlignmentTemplate.ArcFace112.Landmarks.RightEye, AlignmentTemplate.ArcFace112.Landmarks.Nose,
        AlignmentTemplate.ArcFace112.Landmarks.LeftMouth, AlignmentTemplate.ArcFace112.Landmarks.RightMouth,
    ];

    private static readonly Gen<SimilarityTransform> Transforms =
        from scale in Gen.Double[0.05, 20]
        from angle in Gen.Double[-3.1, 3.1]
        from x in Gen.Double[-2000, 2000]
        from y in Gen.Double[-2000, 2000]
        select new SimilarityTransform(scale * Math.Cos(angle), scale * Math.Sin(angle), x, y);

    private static readonly Gen<Point[]> Points = Gen.Select(Gen.Float[-500, 500], Gen.Float[-500, 500], (x, y) => new Point(x, y)).Array[5];

    [Fact]
    public void Fit_recovers_any_similarity_from_its_own_points() => Transforms.Sample(transform =>
    {
        Point[] moved = [.. Template.Select(transform.Apply)];
        SimilarityTransform fitted = SimilarityTransform.Fit(Template, moved);
        Assert.Equal(transform.A, fitted.A, 1e-4 * transform.Scale);
        Assert.Equal(transform.B, fitted.B, 1e-4 * transform.Scale);
        Assert.True(Template.All(p => Distance(fitted.Apply(p), transform.Apply(p)) < 2e-3));
    });

    [Fact]
    public void No_other_similarity_has_a_smaller_squared_error() =>
        Gen.Select(Points, Points, Gen.Double[-0.01, 0.01].Array[4]).Sample((from, to, nudge) =>
    {
        SimilarityTransform best = SimilarityTransform.Fit(from, to);
        SimilarityTransform other = new(best.A + nudge[0], best.B + nudge[1], best.Tx + nudge[2], best.Ty + nudge[3]);
        Assert.True(Cost(best) <= Cost(other) * (1 + 1e-9) + 1e-6);

        double Cost(SimilarityTransform t)
        {
            double sum = 0;
            for (int i = 0; i < from.Length; i++)
            {
                (double x, double y) = t.Apply(from[i].X, from[i].Y);
                sum += ((x - to[i].X) * (x - to[i].X)) + ((y - to[i].Y) * (y - to[i].Y));
            }

            return sum;
        }
    });

    [Fact]
    public void A_mirrored_face_is_never_mirrored_back()
    {
        // A reflection is not a similarity: the best fit rotates by 180 degrees or leaves an error, but has a positive determinant.
        Point[] mirrored = [.. Template.Select(p => p with { X = 111 - p.X })];
        SimilarityTransform fitted = SimilarityTransform.Fit(mirrored, Template);
        Assert.True((fitted.A * fitted.A) + (fitted.B * fitted.B) > 0);
        Assert.True(Distance(fitted.Apply(mirrored[0]), Template[0]) > 5);
    }

    [Fact]
    public void Landmarks_on_the_template_need_no_transform()
    {
        SimilarityTransform fitted = new CropAligner().Fit(AlignmentTemplate.ArcFace112.Landmarks);
        Assert.Equal(1, fitted.A, 1e-9);
        Assert.Equal(0, fitted.B, 1e-9);
        Assert.Equal(0, fitted.Tx, 1e-6);
        Assert.Equal(0, fitted.Ty, 1e-6);
    }

    [Fact]
    public void A_single_mouth_point_on_the_template_needs_no_transform()
    {
        FaceLandmarks t = AlignmentTemplate.ArcFace112.Landmarks;
        Point mouth = new((t.LeftMouth.X + t.RightMouth.X) / 2, (t.LeftMouth.Y + t.RightMouth.Y) / 2);
        SimilarityTransform fitted = new CropAligner().Fit(t with { LeftMouth = mouth, RightMouth = mouth, MouthIsOnePoint = true });
        Assert.Equal(1, fitted.A, 1e-6);
        Assert.Equal(0, fitted.Tx, 1e-4);
    }

    [Fact]
    public void The_inverse_undoes_a_transform_and_Then_composes_two() => Gen.Select(Transforms, Transforms).Sample((first, second) =>
    {
        (double x, double y) = first.Then(first.Inverse()).Apply(12, 34);
        Assert.Equal(12, x, 1e-6);
        Assert.Equal(34, y, 1e-6);
        (double a, double b) = first.Apply(12, 34);
        (double c, double d) = second.Apply(a, b);
        (double e, double f) = first.Then(second).Apply(12, 34);
        Assert.Equal(c, e, 1e-6);
        Assert.Equal(d, f, 1e-6);
    });

    [Theory]
    [InlineData(0f)]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Points_that_coincide_or_are_not_finite_are_refused(float value)
    {
        Point[] points = [.. Enumerable.Repeat(new Point(value, value), 5)];
        Refused.With("no similarity transform fits", () => SimilarityTransform.Fit(points, Template));
    }

    [Fact]
    public void Templates_of_other_sizes_follow_InsightFace()
    {
        Assert.Equal(2 * 38.2946f, AlignmentTemplate.ArcFace(224, 224).Landmarks.LeftEye.X, 1e-4f);
        Assert.Equal(38.2946f + 8, AlignmentTemplate.ArcFace(128, 128).Landmarks.LeftEye.X, 1e-4f);
        Assert.Equal(51.6963f, AlignmentTemplate.ArcFace(128, 128).Landmarks.LeftEye.Y, 1e-4f);
        Assert.Equal(30.2946f, AlignmentTemplate.ArcFace(96, 112).Landmarks.LeftEye.X, 1e-4f);
        Assert.Same(AlignmentTemplate.ArcFace112, AlignmentTemplate.ArcFace(112, 112));
        Assert.Throws<UniFaceException>(() => AlignmentTemplate.ArcFace(100, 100));
    }

    private static double Distance(Point a, Point b) => Math.Sqrt(((a.X - b.X) * (a.X - b.X)) + ((a.Y - b.Y) * (a.Y - b.Y)));
}
