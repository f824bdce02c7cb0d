using UniFace.Faces;

namespace UniFace.Synthetic;

/// <summary>
/// A point of the head in head units: x to the right of the image, y down from the eyes, z out of the picture from the ears. Points with z = 0 form
/// the outline, which keeps its shape when the head turns.
/// </summary>
internal readonly record struct HeadPoint(float X, float Y, float Z = 0);

/// <summary>
/// How a head stands before the camera: turns points of the head by yaw, pitch and roll about the neck and
/// brings them to pixels. Features lie on an ellipsoid, so they shift and shorten as the head turns: two and a half dimensions.
/// </summary>
internal sealed class HeadView(FaceIdentity person, FaceScene scene)
{
    private const float NeckHeight = 1.25f;

    private readonly (float Sin, float Cos) yaw = MathF.SinCos(scene.Yaw), pitch = MathF.SinCos(scene.Pitch), roll = MathF.SinCos(scene.Roll);

    /// <summary>The left and the right side, as signs of X.</summary>
    public static ReadOnlySpan<float> Sides => [-1, 1];

    /// <summary>From the picture plane in head units to pixels.</summary>
    public SimilarityTransform ToPixels { get; set; } = SimilarityTransform.Identity;

    /// <summary>Pixels per head unit.</summary>
    public float Scale => (float)ToPixels.Scale;

    /// <summary>How far the jaw is down, in head units.</summary>
    public float Jaw => 0.13f * scene.MouthOpen;

    /// <summary>A point on the skin, <paramref name="out"/> head units above it.</summary>
    public HeadPoint Skin(float x, float y, float @out = 0)
    {
        float u = x / (person.CheekWidth * 1.12f), v = (y - 0.05f) / 1.8f;
        return new(x, y, (0.92f * MathF.Sqrt(Math.Max(0, 1 - (u * u) - (v * v)))) + @out);
    }

    /// <summary>Pixels of a point of the head.</summary>
    public SKPoint Project(HeadPoint p)
    {
        // The outline keeps its width: a head is about as deep as it is wide. What is on the skin turns.
        float onSkin = Math.Clamp(p.Z / 0.3f, 0, 1);
        float x = (p.X * (1 + ((yaw.Cos - 1) * onSkin))) + (p.Z * yaw.Sin);
        float z = (p.Z * yaw.Cos) - (p.X * yaw.Sin);
        float y = (p.Y * (1 + ((pitch.Cos - 1) * onSkin))) + (z * pitch.Sin);
        float near = 1 + (scene.Perspective * ((z * pitch.Cos) - 0.5f));
        x *= near;
        y = ((y - NeckHeight) * near) + NeckHeight;
        return Body((x * roll.Cos) - ((y - NeckHeight) * roll.Sin), (x * roll.Sin) + ((y - NeckHeight) * roll.Cos) + NeckHeight);
    }

    /// <summary>Pixels of a point of the body, which does not turn with the head.</summary>
    public SKPoint Body(float x, float y)
    {
        (double u, double v) = ToPixels.Apply(x, y);
        return new SKPoint((float)u, (float)v);
    }

    /// <summary>The five points of the face in pixels: pupils' places, tip of the nose, corners of the mouth.</summary>
    public FaceLandmarks Landmarks()
    {
        float corner = MouthHalfWidth;
        return new FaceLandmarks(
            At(Skin(-person.EyeSpacing, 0)),
            At(Skin(person.EyeSpacing, 0)),
            At(NoseTip),
            At(Skin(-corner, MouthCornerY)),
            At(Skin(corner, MouthCornerY)));

        Point At(HeadPoint p)
        {
            SKPoint q = Project(p);
            return new Point(q.X, q.Y);
        }
    }

    /// <summary>Half the width of the mouth with this expression.</summary>
    public float MouthHalfWidth => person.MouthWidth * (1 + (0.2f * scene.Smile) - (0.12f * scene.MouthOpen));

    /// <summary>Height of the corners of the mouth with this expression.</summary>
    public float MouthCornerY => person.MouthHeight - person.MouthCurve - (0.065f * scene.Smile) + (0.25f * Jaw);

    /// <summary>The tip of the nose.</summary>
    public HeadPoint NoseTip => Skin(0, person.NoseLength - (0.02f * person.NoseTip), person.NoseDepth);
}
