namespace UniFace.Synthetic;

/// <summary>Background and clothes: they change from image to image.</summary>
internal sealed class BackdropPainter(FacePen pen, FaceScene scene, int width, int height)
{
    private readonly FaceRandom random = new(FaceStream.Backdrop, scene.Grain);

    /// <summary>The whole canvas: a gradient and out-of-focus shapes.</summary>
    public void Background()
    {
        float hue = random.Range(0, 360), saturation = random.Range(0.05f, 0.5f), value = random.Range(0.35f, 0.95f);
        SKColor first = FacePalette.Hsv(hue, saturation, value);
        SKColor second = FacePalette.Hsv((hue + random.Range(0, 70)) % 360, saturation * 0.8f, value * random.Range(0.5f, 0.95f));
        (float sin, float cos) = MathF.SinCos(random.Range(0, MathF.Tau));
        SKPath all = pen.Path(builder => builder.AddRect(new SKRect(-1, -1, width + 1, height + 1), SKPathDirection.Clockwise));
        float cx = width / 2f, cy = height / 2f;
        pen.FillLinear(all, new SKPoint(cx - (cx * cos), cy - (cy * sin)), new SKPoint(cx + (cx * cos), cy + (cy * sin)), first, second);
        int shapes = random.Below(6);
        for (int i = 0; i < shapes; i++)
        {
            SKPoint c = new(random.Unit() * width, random.Unit() * height);
            float radius = random.Range(0.06f, 0.3f) * height;
            SKColor color = FacePalette.Hsv((hue + random.Range(0, 200)) % 360, random.Range(0.1f, 0.6f), random.Range(0.4f, 1));
            pen.FillRadial(all, c, radius, color.Fade(0.7f), color.Fade(0));
        }
    }

    /// <summary>Shoulders and collar.</summary>
    public void Clothes()
    {
        HeadView view = pen.View;
        SKColor cloth = FacePalette.Hsv(random.Range(0, 360), random.Range(0.1f, 0.75f), random.Range(0.2f, 0.9f));
        float slope = random.Range(2.15f, 2.4f), collar = random.Range(0.35f, 0.62f);
        SKPoint[] body =
        [
            view.Body(-collar, 1.95f), view.Body(-1.2f, slope), view.Body(-2.0f, slope + 0.35f), view.Body(-2.5f, 5),
            view.Body(2.5f, 5), view.Body(2.0f, slope + 0.35f), view.Body(1.2f, slope), view.Body(collar, 1.95f),
            view.Body(0.3f, 2.25f), view.Body(0, 2.25f + random.Range(0, 0.4f)), view.Body(-0.3f, 2.25f),
        ];
        SKPath path = pen.Smooth(body, true);
        pen.FillLinear(path, view.Body(-1.5f, 2), view.Body(1.5f, 4), cloth.Mix(SKColors.White, 0.12f), cloth.Mix(SKColors.Black, 0.25f));
    }
}
