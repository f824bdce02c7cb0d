using UniFace.Faces;
using UniFace.Vision.Imaging;

namespace UniFace.Synthetic;

/// <summary>A synthetic image with the exact landmarks of its face.</summary>
/// <param name="Image">The image.</param>
/// <param name="Landmarks">The five points in pixels.</param>
public sealed record SyntheticFace(RgbImage Image, FaceLandmarks Landmarks);

/// <summary>Draws a synthetic person in a scene. Stateless and thread-safe; the same input gives the same pixels.</summary>
internal static class FaceRenderer
{
    /// <summary>A photo: the person somewhere in the image, upright shoulders, background around.</summary>
    /// <param name="person">The person.</param>
    /// <param name="scene">Pose, expression, light, camera and occlusion.</param>
    /// <param name="width">Width in pixels, 64 to 4096.</param>
    /// <param name="height">Height in pixels, 64 to 4096.</param>
    public static SyntheticFace Photo(FaceIdentity person, FaceScene scene, int width, int height)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Math.Min(width, height), 64, nameof(width));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Math.Max(width, height), 4096, nameof(width));
        HeadView view = new(person, scene);
        FaceRandom random = new(FaceStream.Position, scene.Grain);
        float unit = Math.Min(scene.PhotoSize * height / 3.1f, 0.30f * width);
        float roomX = (0.5f * width) - (1.45f * unit), x = (0.5f * width) + random.Around(Math.Max(0, 0.8f * roomX));
        float y = (0.46f * height) + random.Around(Math.Max(0, (0.40f * height) - (1.8f * unit)));
        view.ToPixels = new SimilarityTransform(unit, 0, x, y);
        return Draw(person, scene, view, width, height);
    }

    /// <summary>
    /// The face as the aligner would crop it from a photo: the five exact points fitted to ArcFace's 112x112 template by least squares,
    /// then the detector errors of the scene (<see cref="FaceScene.CropShiftX"/> and the like).
    /// </summary>
    /// <param name="person">The person.</param>
    /// <param name="scene">Pose, expression, light, camera and occlusion.</param>
    public static SyntheticFace Aligned(FaceIdentity person, FaceScene scene)
    {
        AlignmentTemplate template = AlignmentTemplate.ArcFace112;
        HeadView view = new(person, scene);
        float half = template.Width / 2f;
        (float sin, float cos) = MathF.SinCos(scene.CropTurn);
        float a = scene.CropScale * cos, b = scene.CropScale * sin;
        SimilarityTransform error = new(a, b, half - (a * half) + (b * half) + scene.CropShiftX, half - (b * half) - (a * half) + scene.CropShiftY);

        // Skia's pixel centers are at halves, ours at whole numbers: Draw adds the half.
        view.ToPixels = new CropAligner(template).Fit(view.Landmarks()).Then(error);
        return Draw(person, scene, view, template.Width, template.Height);
    }

    private static SyntheticFace Draw(FaceIdentity person, FaceScene scene, HeadView view, int width, int height)
    {
        FaceLandmarks landmarks = view.Landmarks();
        using SKBitmap bitmap = SkiaImages.Create(width, height);
        using (SKCanvas canvas = new(bitmap))
        {
            canvas.Translate(0.5f, 0.5f);
            using FacePen pen = new(canvas, view);
            Paint(pen, person, scene, width, height);
            canvas.Flush();
        }

        RgbImage image = bitmap.ToRgb();
        CameraEffects.Apply(image, person, scene, view.Scale);
        return new SyntheticFace(image, landmarks);
    }

    private static void Paint(FacePen pen, FaceIdentity person, FaceScene scene, int width, int height)
    {
        BackdropPainter backdrop = new(pen, scene, width, height);
        HeadPainter head = new(pen, person, scene);
        FeaturePainter features = new(pen, person, scene);
        MouthPainter mouth = new(pen, person, scene);
        HairPainter hair = new(pen, person, scene);
        SKPath outline = head.Outline();
        backdrop.Background();
        hair.Back();
        head.Neck();
        backdrop.Clothes();
        head.Ears();
        head.Face(outline);
        mouth.Beard(outline);
        mouth.Mouth();
        features.Eyes();
        features.Nose();
        features.Brows();
        hair.Front(outline);
        new OcclusionPainter(pen, person, scene).Draw();
    }
}
