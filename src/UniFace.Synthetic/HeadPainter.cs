namespace UniFace.Synthetic;

/// <summary>Neck, ears, the face's surface with its light, freckles and moles.</summary>
internal sealed class HeadPainter(FacePen pen, FaceIdentity person, FaceScene scene)
{
    private readonly HeadView view = pen.View;
    private readonly SKColor skin = FacePalette.Skin(person);

    /// <summary>The outline of the head.</summary>
    public SKPath Outline()
    {
        float jaw = view.Jaw, chin = person.ChinHeight + jaw;
        return pen.Symmetric(
            lead: 0,
            new(0, -person.SkullHeight),
            new(0.62f * person.TempleWidth, -0.90f * person.SkullHeight),
            new(person.TempleWidth, -0.48f * person.SkullHeight),
            new(person.CheekWidth, 0.12f),
            new(0.5f * (person.CheekWidth + person.JawWidth), 0.60f),
            new(person.JawWidth, (0.68f * person.ChinHeight) + (0.6f * jaw), 0.1f),
            new(person.ChinWidth + 0.12f, (0.93f * person.ChinHeight) + jaw, 0.28f),
            new(0.45f * person.ChinWidth, chin, 0.34f));
    }

    /// <summary>The neck, from under the chin down into the clothes, with the shadow of the head on it.</summary>
    public void Neck()
    {
        float half = 0.62f * person.JawWidth;
        SKPoint[] points =
        [
            view.Project(new(-half, 0.9f)), view.Body(-half - 0.02f, 1.75f), view.Body(-half - 0.25f, 2.1f), view.Body(-half - 0.1f, 2.8f),
            view.Body(half + 0.1f, 2.8f), view.Body(half + 0.25f, 2.1f), view.Body(half + 0.02f, 1.75f), view.Project(new(half, 0.9f)),
        ];
        SKPath path = pen.Smooth(points, true);
        pen.FillLinear(path, view.Project(new(0, person.ChinHeight - 0.1f)), view.Body(0, 2.5f), skin.Shade(0.42f), skin.Shade(0.06f));
    }

    /// <summary>Ears; they lie behind the face.</summary>
    public void Ears()
    {
        foreach (float side in HeadView.Sides)
        {
            float x = side * (person.CheekWidth - 0.05f), size = person.EarSize, stand = person.EarWidth + 0.06f;
            HeadPoint[] outer =
            [
                new(x, -0.45f * size, -0.1f), new(x + (side * stand), -0.95f * size, -0.12f), new(x + (side * (stand + 0.05f)), -0.3f * size, -0.16f),
                new(x + (side * stand * 0.75f), 0.5f * size, -0.12f), new(x + (side * 0.4f * stand), 1.1f * size, -0.06f),
                new(x - (side * 0.04f), 0.9f * size, -0.06f),
            ];
            pen.Fill(pen.Closed(outer), skin.Shade(0.10f));
            HeadPoint[] inner =
            [
                new(x + (side * 0.02f), -0.35f * size, -0.1f), new(x + (side * stand * 0.85f), -0.6f * size, -0.12f),
                new(x + (side * stand * 0.8f), -0.05f, -0.13f), new(x + (side * stand * 0.3f), 0.45f * size, -0.1f),
            ];
            pen.Stroke(pen.Open(inner), skin.Shade(0.5f).Fade(0.6f), 0.03f);
        }
    }

    /// <summary>The face's surface: skin, light from one side, cheeks, sockets, marks, lines.</summary>
    public void Face(SKPath outline)
    {
        pen.Fill(outline, skin, () =>
        {
            // Form: the face falls away from the light towards its edge.
            (float sin, float cos) = MathF.SinCos(scene.LightAngle);
            SKPoint lit = view.Project(view.Skin(0.35f * cos, 0.15f + (0.45f * sin)));
            float dark = 0.16f + (0.30f * scene.LightContrast);
            pen.FillRadial(outline, lit, 1.75f * view.Scale, skin.Shade(0.6f).Fade(0), skin.Shade(0.75f).Fade(dark + 0.25f));
            SKColor glow = skin.Mix(SKColors.White, 0.6f);
            pen.Spot(view.Skin(0.25f * cos, -0.62f + (0.1f * sin)), 0.62f, 0.36f, glow, 0.30f);
            foreach (float side in HeadView.Sides)
            {
                float toLight = Math.Clamp(0.6f + (0.4f * side * cos), 0, 1);
                pen.Spot(view.Skin(side * 0.56f, 0.36f), 0.30f, 0.22f, glow, 0.34f * toLight);
                pen.Spot(view.Skin(side * 0.58f, 0.55f), 0.34f, 0.26f, 0xFFD85048, 0.05f + (0.22f * person.Blush * (1 - (0.5f * person.Skin))));
                pen.Spot(view.Skin(side * person.EyeSpacing, -0.06f), person.EyeWidth + 0.14f, 0.24f, skin.Shade(0.6f), 0.10f + (0.34f * person.SocketDepth));
                pen.Spot(view.Skin(side * (person.JawWidth - 0.12f), 0.86f), 0.22f, 0.4f, skin.Shade(0.6f), 0.16f);
            }

            pen.Spot(view.Skin(0, person.ChinHeight - 0.18f + view.Jaw), 0.26f, 0.16f, glow, 0.22f);
            pen.Spot(view.Skin(0, person.MouthHeight + person.LowerLip + 0.12f + view.Jaw), 0.26f, 0.08f, skin.Shade(0.7f), 0.22f);
            Marks();
            Lines();
        });
    }

    private void Marks()
    {
        if (person.Freckles > 0)
        {
            FaceRandom r = new(FaceStream.Freckles, person.Grain);
            int count = (int)(14 + (26 * person.Freckles));
            for (int i = 0; i < count; i++)
            {
                float x = r.Bell(0.36f), y = 0.40f + r.Bell(0.15f);
                pen.Disc(view.Skin(x, y), r.Range(0.012f, 0.024f), skin.Shade(0.5f).Fade(0.55f));
            }
        }

        foreach (FaceMark mole in person.Moles)
        {
            pen.Disc(view.Skin(mole.X, mole.Y), mole.Radius, new SKColor(0xFF3A1E16).Fade(0.85f));
        }
    }

    private void Lines()
    {
        if (person.Age < 0.35f && scene.Smile < 0.3f)
        {
            return;
        }

        SKColor line = skin.Shade(0.62f);
        float strength = Math.Clamp((0.75f * (person.Age - 0.3f)) + (0.25f * scene.Smile), 0.05f, 0.6f);
        foreach (float side in HeadView.Sides)
        {
            float nose = person.NoseWidth;
            pen.Stroke(
                pen.Open(
                    view.Skin(side * (nose + 0.03f), person.NoseLength - 0.08f),
                    view.Skin(side * (nose + 0.13f), person.NoseLength + 0.13f),
                    view.Skin(side * (view.MouthHalfWidth + 0.11f), person.MouthHeight - 0.03f)),
                line.Fade(strength), 0.028f);
            if (person.Age > 0.5f)
            {
                float eye = person.EyeSpacing;
                pen.Stroke(
                    pen.Open(view.Skin(side * (eye - 0.16f), 0.17f), view.Skin(side * eye, 0.215f), view.Skin(side * (eye + 0.15f), 0.16f)),
                    line.Fade(0.7f * strength), 0.022f);
            }
        }

        if (person.Age > 0.6f)
        {
            for (int i = 0; i < 2; i++)
            {
                float y = -0.58f - (0.14f * i) - (0.04f * scene.BrowRaise);
                pen.Stroke(pen.Open(view.Skin(-0.4f, y + 0.02f), view.Skin(0, y - 0.02f), view.Skin(0.4f, y + 0.02f)), line.Fade(0.55f * strength), 0.02f);
            }
        }
    }
}
