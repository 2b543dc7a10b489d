// Put in front of every shader, after the #version line.

// A rectangle from the vertex number of a strip of four: (0, 0) … (1, 1).
vec2 cx_corner(int vertex)
{
    return vec2(float(vertex & 1), float(vertex >> 1));
}

// Pixels of a pane (origin top left) to clip space.
vec4 cx_pane_to_clip(vec2 px, vec2 pane)
{
    return vec4(px.x / pane.x * 2.0 - 1.0, 1.0 - px.y / pane.y * 2.0, 0.0, 1.0);
}

vec3 cx_unpack_rgb(uint packed_rgb)
{
    return vec3(float(packed_rgb & 255u), float((packed_rgb >> 8) & 255u),
                float((packed_rgb >> 16) & 255u)) / 255.0;
}
