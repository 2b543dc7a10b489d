// Coverage of a pixel by a shape, from the distance to its edge.

in vec2 v_local;
flat in vec4 v_style;
flat in vec4 v_size;
flat in vec4 v_colour;
out vec4 o_colour;

float cover(float inside_px)
{
    return clamp(inside_px + 0.5, 0.0, 1.0);
}

void main()
{
    float amount;

    if (v_style.x < 0.5) {
        amount = cover(v_style.y * 0.5 - abs(v_local.y)) *
                 cover(min(v_local.x, v_size.x - v_local.x));
        if (v_style.z > 0.0) {
            float at = mod(v_local.x, v_style.z + v_style.w);
            amount *= cover(min(at, v_style.z - at));
        }
    } else if (v_style.x < 1.5) {
        vec2 inside = v_size.xy - abs(v_local);
        amount = cover(inside.x) * cover(inside.y);
    } else if (v_style.x < 2.5) {
        amount = cover(v_size.x - length(v_local));
    } else {
        amount = cover(v_style.y * 0.5 - abs(length(v_local) - v_size.x));
    }
    o_colour = vec4(v_colour.rgb, v_colour.a * amount);
}
