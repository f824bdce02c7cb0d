namespace UniFace.Synthetic;

/// <summary>Mouth, moustache and beard.</summary>
internal sealed class MouthPainter(FacePen pen, FaceIdentity person, FaceScene scene)
{
    private readonly HeadView view = pen.View;
    private readonly SKColor skin = FacePalette.Skin(person);

    public void Mouth()
    {
        float w = view.MouthHalfWidth, corner = view.MouthCornerY, smile = Math.Max(0, scene.Smile);
        float open = Math.Max(0, scene.MouthOpen - 0.12f), gap = 0.20f * open;
        float up = person.UpperLip * (1 - (0.25f * smile)), low = person.LowerLip * (1 - (0.15f * smile)), bow = 0.35f * person.CupidsBow * up;
        float inner = person.MouthHeight - (0.25f * gap) + (0.02f * smile), lower = inner + gap + (0.35f * view.Jaw * open);
        SKColor lip = skin.Shade(0.22f).Mix(0xFFB83844, 0.22f + (0.55f * person.LipColor));
        HeadPoint left = view.Skin(-w, corner), right = view.Skin(w, corner);
        HeadPoint P(float x, float y) => view.Skin(x * w, y, 0.05f);

        // Inside of the open mouth.
        if (gap > 0.012f)
        {
            SKPath inside = pen.Symmetric(lead: 2, P(0, inner), P(0.5f, inner), right, P(0.5f, lower - (0.12f * gap)), P(0, lower));
            pen.Fill(inside, 0xFF4A1216, () =>
            {
                float teeth = inner + Math.Min(0.09f, 0.62f * gap);
                pen.Fill(
                    pen.Symmetric(lead: 2, P(0.5f, inner - 0.05f), P(0.9f, corner - 0.02f), P(0.55f, teeth), P(0, teeth + 0.012f)),
                    0xFFF4F0E8);
                pen.Spot(view.Skin(0, lower), 0.6f * w, 0.4f * gap, 0xFFC05058, 0.8f);
            });
        }

        SKPath lowerLip = pen.Symmetric(lead: 2, P(0, lower), P(0.5f, lower - (0.12f * gap)), right, P(0.55f, lower + (0.75f * low)), P(0, lower + low));
        pen.Fill(lowerLip, lip, () => pen.Spot(view.Skin(0, lower + (0.45f * low), 0.05f), 0.45f * w, 0.3f * low, SKColors.White, 0.32f));
        pen.Fill(
            pen.Symmetric(lead: 3, P(0, inner - up + bow), P(0.2f, inner - up), P(0.5f, inner - (0.72f * up)), right, P(0.5f, inner), P(0, inner + 0.012f)),
            lip.Mix(0xFF501820, 0.22f));
        if (gap <= 0.012f)
        {
            pen.Stroke(pen.Open(left, P(-0.5f, inner), P(0, inner + 0.014f), P(0.5f, inner), right), new SKColor(0xFF401416).Fade(0.85f), 0.026f);
        }

        // Corners.
        pen.Spot(left, 0.06f, 0.05f, skin.Shade(0.8f), 0.5f);
        pen.Spot(right, 0.06f, 0.05f, skin.Shade(0.8f), 0.5f);
    }

    /// <summary>Beard and moustache; painted before the mouth.</summary>
    public void Beard(SKPath outline)
    {
        SKColor hair = FacePalette.Hair(person).Mix(0xFF201612, 0.25f);
        float jaw = view.Jaw, mouth = person.MouthHeight;
        if (person.Beard > 0)
        {
            float alpha = 0.18f + (0.72f * person.Beard), line = person.Beard > 0.6f ? 0.16f * (1 - person.Beard) : 0.12f;
            pen.Inside(outline, () =>
            {
                float cheek = person.CheekWidth, w = view.MouthHalfWidth;
                SKPath beard = pen.Symmetric(
                    lead: 5,
                    view.Skin(0, mouth + person.LowerLip + 0.085f + jaw), view.Skin(w * 0.7f, mouth + person.LowerLip + 0.06f + jaw),
                    view.Skin(w + 0.12f, mouth - 0.02f + line), view.Skin(0.62f, 0.86f + line), view.Skin(cheek - 0.12f, 0.45f),
                    new(cheek + 0.1f, 0.1f), new(cheek + 0.1f, 1.3f), new(0.5f, 2.1f));
                FaceRandom r = new(FaceStream.Beard, person.Grain);
                SKColor strand = hair.Mix(person.HairColor < 0.3f ? 0xFF908074 : 0xFF302018, 0.5f);
                pen.Fill(beard, hair.Fade(alpha), () =>
                {
                    for (int i = 0; i < 16; i++)
                    {
                        float x = r.Around(0.75f), y = r.Range(0.85f, person.ChinHeight);
                        pen.Stroke(pen.Open(view.Skin(x, y + jaw), view.Skin(x * 1.04f, y + 0.13f + jaw)), strand.Fade(0.45f * alpha), 0.016f);
                    }
                });
            });
        }

        if (person.Moustache > 0)
        {
            float w = view.MouthHalfWidth * (0.75f + (0.4f * person.Moustache)), top = person.NoseLength + 0.13f;
            float bottom = mouth - person.UpperLip + 0.03f, end = mouth - (0.01f * scene.Smile) + (0.12f * person.Moustache);
            pen.Fill(
                pen.Symmetric(
                    lead: 0,
                    view.Skin(0, top + 0.03f, 0.06f), view.Skin(0.45f * w, top + 0.02f, 0.06f), view.Skin(0.95f * w, bottom - 0.02f, 0.05f),
                    view.Skin(1.15f * w, end, 0.04f), view.Skin(0.7f * w, bottom + 0.03f, 0.06f), view.Skin(0, bottom - 0.01f, 0.07f)),
                hair.Fade(0.45f + (0.5f * person.Moustache)));
        }
    }
}
