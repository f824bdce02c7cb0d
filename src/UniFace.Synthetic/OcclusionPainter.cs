namespace UniFace.Synthetic;

/// <summary>What stands between camera and face, or is worn on it.</summary>
internal sealed class OcclusionPainter(FacePen pen, FaceIdentity person, FaceScene scene)
{
    private readonly HeadView view = pen.View;
    private readonly FaceRandom random = new(FaceStream.Occlusion, scene.Grain);

    /// <summary>Draws the occlusion over the finished head.</summary>
    public void Draw()
    {
        switch (scene.Occlusion)
        {
            case Occlusion.Glasses: Glasses(new SKColor(0xFFD8E8F0).Fade(0.14f)); break;
            case Occlusion.Sunglasses: Glasses(FacePalette.Hsv(random.Range(0, 360), 0.35f, 0.16f).Fade(random.Range(0.78f, 0.96f))); break;
            case Occlusion.Scarf: Scarf(); break;
            case Occlusion.Hand: Hand(); break;
            case Occlusion.Bars: Bars(); break;
            case Occlusion.Hat: Hat(); break;
            default: break;
        }
    }

    private void Glasses(SKColor glass)
    {
        SKColor frame = random.Chance(0.6f)
            ? FacePalette.Hsv(random.Range(0, 360), 0.4f, random.Range(0.05f, 0.3f))
            : FacePalette.Hsv(40, 0.4f, random.Range(0.5f, 0.8f));
        float width = random.Range(0.27f, 0.34f), height = random.Range(0.18f, 0.27f), square = random.Range(0.55f, 0.95f);
        float line = random.Range(0.025f, 0.06f), drop = random.Range(0, 0.05f);
        float cx = Math.Max(person.EyeSpacing, width + 0.05f);
        foreach (float s in HeadView.Sides)
        {
            HeadPoint At(float x, float y) => view.Skin(s * (cx + x), drop + y, 0.10f);
            SKPath rim = pen.Closed(
                At(-width, 0), At(-width * square, -height * square), At(0, -height), At(width * square, -height * square),
                At(width, -0.02f), At(width * square, height * square), At(0, height), At(-width * square, height * square));
            pen.Fill(rim, glass);
            pen.Stroke(rim, frame, line);
            pen.Stroke(pen.Open(At(-0.4f * width, -0.6f * height), At(-0.7f * width, 0.1f * height)), SKColors.White.Fade(0.30f), 0.03f);
            pen.Stroke(pen.Open(At(width, -0.04f), new(s * (person.CheekWidth + 0.01f), -0.06f, 0.05f)), frame, line);
        }

        HeadPoint bridge = view.Skin(0, drop - 0.08f, 0.16f);
        pen.Stroke(pen.Open(view.Skin(-cx + width, drop - 0.03f, 0.12f), bridge, view.Skin(cx - width, drop - 0.03f, 0.12f)), frame, line);
    }

    private void Scarf()
    {
        SKColor cloth = FacePalette.Hsv(random.Range(0, 360), random.Range(0.3f, 0.8f), random.Range(0.3f, 0.85f));
        float top = random.Chance(0.5f) ? random.Range(1.15f, 1.35f) : random.Range(0.62f, 0.85f);
        float side = person.CheekWidth + 0.12f;
        SKPath path = pen.Symmetric(
            lead: 2,
            view.Skin(0, top + 0.02f, 0.2f), view.Skin(0.5f, top - 0.02f, 0.1f), new(side, top - 0.3f), new(side + 0.2f, 1.7f), new(0.6f, 2.4f));
        pen.Fill(path, cloth, () =>
        {
            for (int i = 0; i < 6; i++)
            {
                float y = top + 0.1f + (0.2f * i);
                SKColor stripe = cloth.Mix(i % 2 == 0 ? SKColors.Black : SKColors.White, 0.35f);
                pen.Stroke(pen.Open(new(-side - 0.2f, y - 0.2f), view.Skin(0, y + 0.05f, 0.2f), new(side + 0.2f, y - 0.2f)), stripe.Fade(0.6f), 0.035f);
            }
        });
    }

    private void Hand()
    {
        SKColor skin = FacePalette.Skin(person).Shade(0.08f), dark = skin.Shade(0.5f);
        float s = random.Chance(0.5f) ? 1 : -1, x = random.Range(0.35f, 0.75f), y = random.Range(0.75f, 1.15f);
        SKPath palm = pen.Closed(
            new(s * x, y + 0.15f), new(s * (x + 0.5f), y + 0.2f), new(s * (x + 0.55f), y + 0.8f),
            new(s * (x + 0.6f), y + 2f), new(s * (x + 0.05f), y + 2f), new(s * (x - 0.1f), y + 0.7f));
        pen.Fill(palm, skin);
        for (int i = 0; i < 4; i++)
        {
            float fx = x + 0.02f + (0.145f * i), length = 0.52f - (0.09f * Math.Abs(i - 1.3f));
            SKPath finger = pen.Open(
                new(s * (fx + 0.03f), y + 0.45f, 0.1f), new(s * (fx - 0.02f), y + 0.15f, 0.1f), new(s * (fx - 0.09f), y + 0.42f - length, 0.1f));
            pen.Stroke(finger, dark, 0.165f);
            pen.Stroke(finger, skin, 0.135f);
        }
    }

    private void Bars()
    {
        int count = 2 + random.Below(3);
        float turn = random.Around(0.5f), width = random.Range(0.06f, 0.14f), start = random.Range(-1.4f, -0.9f);
        SKColor metal = FacePalette.Hsv(random.Range(0, 360), 0.15f, random.Range(0.12f, 0.75f));
        for (int i = 0; i < count; i++)
        {
            float x = start + (2.6f * i / (count - 1f));
            SKPath bar = pen.Path(builder =>
            {
                builder.MoveTo(view.Body(x - (2 * turn), -2.4f));
                builder.LineTo(view.Body(x + (2 * turn), 2.8f));
            });
            pen.Stroke(bar, metal, width);
        }
    }

    private void Hat()
    {
        SKColor cloth = FacePalette.Hsv(random.Range(0, 360), random.Range(0.2f, 0.8f), random.Range(0.2f, 0.85f));
        float line = random.Range(0.46f, 0.66f), top = person.SkullHeight + 0.16f + (0.4f * person.HairVolume);
        float side = Math.Max(person.TempleWidth, person.CheekWidth - 0.02f) + 0.10f + (0.4f * person.HairVolume);
        bool cap = random.Chance(0.5f);
        SKPath path = pen.Symmetric(
            lead: 3,
            new(0, -top - 0.1f), new(0.72f * side, -0.92f * top), new(side, -line - 0.25f), new(side, -line + 0.2f),
            view.Skin(0.5f, -line - 0.02f, 0.1f), view.Skin(0, -line - 0.06f, 0.1f));
        SKPoint start = view.Project(new(0, -top)), end = view.Project(new(0, -line));
        pen.FillLinear(path, start, end, cloth.Mix(SKColors.White, 0.15f), cloth.Mix(SKColors.Black, 0.25f));
        if (cap)
        {
            pen.Fill(
                pen.Symmetric(lead: 2, view.Skin(0.4f, -line - 0.12f, 0.2f), view.Skin(0.78f, -line, 0.08f), view.Skin(0.45f, -line + 0.06f, 0.5f)),
                cloth.Mix(SKColors.Black, 0.35f));
        }
        else
        {
            HeadPoint left = view.Skin(-0.5f, -line - 0.09f, 0.1f), middle = view.Skin(0, -line - 0.13f, 0.1f), right = view.Skin(0.5f, -line - 0.09f, 0.1f);
            pen.Stroke(pen.Open(new(-side, -line + 0.1f), left, middle, right, new(side, -line + 0.1f)), cloth.Mix(SKColors.Black, 0.3f), 0.22f);
        }
    }
}
