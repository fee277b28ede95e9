"""Acting PVs whose effect is not seen at once: the test that names them, or that none does."""
# ruff: noqa: E501 (names of tests are long)

SHOWN_BY: dict[str, dict[str, str]] = {
    "motor": {
        "conformance/test_motor_clients.py::test_a_motor_that_stops_short_tries_again_until_it_misses": "RDBD RTRY",
        "conformance/test_motor_clients.py::test_alarm_limits_units_and_decimals_follow_their_fields": "EGU HIGH HIHI LOLO LOW PREC",
        "conformance/test_motor_clients.py::test_deadbands_leave_monitors_out": "ADEL MDEL",
        "conformance/test_motor_clients.py::test_puts_can_be_disabled": "DISP",
        "conformance/test_motor_clients.py::test_the_alarm_is_that_of_the_record": "HLSV",
        "conformance/test_motor_clients.py::test_tpro_logs_each_processing": "TPRO",
        "sim/test_motor.py::test_a_record_that_is_disabled_keeps_puts_and_acts_later": "DISA DISV",
        "sim/test_motor.py::test_alarms_of_the_record": "DISS UDF",
        "sim/test_motor.py::test_asking_for_the_status": "STUP",
        "sim/test_motor.py::test_dial_raw_relative_and_tweak": "TWV",
        "sim/test_motor.py::test_frozen_and_variable_are_what_their_buttons_say": "FOF VOF",
        "sim/test_motor.py::test_homing_finds_the_switch_and_knows_no_soft_limits": "HOMR",
        "sim/test_motor.py::test_homing_while_it_moves_stops_it_first": "HOMF HVEL",
        "sim/test_motor.py::test_jog_goes_until_told": "JAR JOGF JVEL PROC",
        "sim/test_motor.py::test_jog_stops_a_second_before_the_limit_and_refuses_to_begin_there": "JOGR",
        "sim/test_motor.py::test_stop_takes_the_distance_of_its_ramp_and_val_follows": "OMSL STOP",
        "sim/test_motor.py::test_sync_takes_the_readback_for_target": "SYNC",
        "sim/test_motor.py::test_without_torque_nothing_moves_and_retries_run_out": "CNEN",
        "sim/test_motor_accuracy.py::test_a_target_behind_stops_the_move_and_turns_it_round": "NTM",
        "sim/test_motor_accuracy.py::test_a_target_just_behind_is_within_the_deadband": "NTMF",
        "sim/test_motor_accuracy.py::test_backlash_at_its_own_pace": "BACC BDST",
        "sim/test_motor_accuracy.py::test_frac_goes_part_of_the_way_and_retries_the_rest": "FRAC",
        "sim/test_motor_accuracy.py::test_modes_of_retries": "RMOD",
        "sim/test_motor_accuracy.py::test_spdb_leaves_small_ways_alone": "SPDB",
        "sim/test_motor_accuracy.py::test_the_delay_comes_between_movn_and_dmov": "DLY",
        "sim/test_motor_settings.py::test_another_resolution_keeps_the_position_and_scales_speeds_and_limits": "MRES",
        "sim/test_motor_settings.py::test_igset_moves_whatever_set_is": "IGSET",
        "sim/test_motor_settings.py::test_set_redefines_the_offset_and_the_limits_go_along": "SET",
        "sim/test_motor_settings.py::test_set_with_a_frozen_offset_or_the_dial_loads_the_controller": "FOFF SSET SUSE",
        "sim/test_motor_settings.py::test_steps_and_revolutions": "SREV UREV",
        "sim/test_motor_settings.py::test_the_encoder_shows_its_own_counts": "ERES UEIP",
        "sim/test_motor_settings.py::test_the_other_direction": "DIR",
        "sim/test_motor_settings.py::test_what_follows_a_put": "ACCU DCOF ICOF PCOF URIP",
    },
    "trigger": {
        "system/test_camera.py::test_gates_make_an_image": "PulseWidth",
        "system/test_simulator.py::test_an_external_series_begins_exactly_where_the_motor_crosses": "Direction Motor Position",
    },
    "detector": {
        "sim/test_cam_rules.py::test_a_model_without_a_region_stays_at_its_whole_area": "ROIMode",
        "sim/test_cam_rules.py::test_images_without_an_end_last_nearly_a_week": "ImageMode TriggerMode",
        "sim/test_cam_rules.py::test_numbers_beyond_the_limits_are_brought_to_them": "AcquirePeriod NumExposures NumImages NumTriggers Threshold2Energy TriggerStartDelay",
        "sim/test_cam_rules.py::test_small_changes_of_energies_are_left_out": "EnergyEps WavelengthEps",
        "sim/test_cam_rules.py::test_what_means_nothing_is_refused_with_a_sentence": "Threshold1Enable",
        "sim/test_cam_rules.py::test_what_the_detector_takes_is_taken_without_a_word": "BeamX",
        "sim/test_camera_parts.py::test_only_a_shutter_that_is_there_is_told_and_arrives": "ShutterMode",
        "sim/test_eiger.py::test_before_initialize_nothing_is_taken": "Trigger",
        "system/test_camera.py::test_acquire_completes_when_the_writer_has_stored_its_series": "Acquire AcquireBusy WaitForPlugins",
        "system/test_camera.py::test_arrays_are_counted_over_series_timed_and_rated": "ArrayCounter",
        "system/test_camera.py::test_enable_modes_lend_one_image_and_each_trigger_its_exposure": "ManualTrigger TriggerExposure",
        "system/test_camera.py::test_gates_make_an_image": "ExtGateMode",
        "system/test_camera.py::test_high_voltage_status_pool_and_attributes": "EmptyFreeList FilePath HVResetTime NDAttributesMacros ReadStatus",
        "system/test_camera.py::test_sources_and_a_stream_that_is_disabled": "DataSource",
        "system/test_camera.py::test_the_shutter_moves_as_its_mode_says": "ShutterControl ShutterOpenDelay",
        "system/test_camera_classes.py::test_initialize_and_restart_begin_anew": "Restart",
        "system/test_simulator.py::test_an_external_series_begins_exactly_where_the_motor_crosses": "OmegaIncr OmegaStart",
        "system/test_simulator.py::test_values_that_cannot_be_are_refused_and_settle": "FWNamePattern",
    },
    "truth": {
        "sim/test_camera_parts.py::test_the_writer_s_word_ends_the_wait": "Queued",
        "sim/test_camera_parts.py::test_when_there_is_nothing_to_wait_for": "Stored Writing",
        "system/test_simulator.py::test_faults_are_done_counted_and_told": "Faults",
    },
    "file": {
        "layouts/test_attributes.py::test_macros_without_a_value_are_refused": "NDAttributesMacros",
        "system/test_attributes.py::test_acquisitions_have_attributes_too_and_storeattr_leaves_them_out": "StoreAttr",
        "system/test_attributes.py::test_every_point_of_a_step_scan_has_its_own_values": "NDAttributesFile NumCapture",
        "system/test_beamline.py::test_step_scan_is_one_file_in_order_with_the_position_of_each": "Capture FileName FileTemplate",
        "system/test_coordinator.py::test_captures_that_cannot_be_done_say_why": "CreateDirectory FileWriteMode",
        "system/test_coordinator.py::test_real_clients_by_hand": "FlushNow WriteFile",
        "system/test_file_modes.py::test_capture_mode_holds_frames_until_they_are_written": "FreeCapture",
        "system/test_file_modes.py::test_counters_are_set_by_clients_and_go_on": "ArrayCounter DroppedArrays",
        "system/test_file_modes.py::test_flush_now_is_done_when_what_came_can_be_read": "LazyOpen",
        "system/test_file_modes.py::test_frames_after_which_to_flush": "NumFramesFlush",
        "system/test_file_modes.py::test_settings_that_promise_too_much_are_refused": "MaxArrayRate",
        "system/test_file_modes.py::test_single_mode_with_autosave_writes_each_frame": "AutoSave EnableCallbacks",
        "system/test_file_modes.py::test_single_mode_writes_the_latest_frame": "AutoIncrement FileNumber TempSuffix",
        "system/test_grid.py::test_a_snake_scan_is_stored_as_the_picture_it_is": "DimAttDatasets PositionMode",
        "system/test_grid.py::test_positions_without_a_name_are_refused": "PosNameDimN",
        "system/test_grid.py::test_without_positions_frames_fill_points_in_order": "ExtraDimSizeN ExtraDimSizeX ExtraDimSizeY",
        "writer/test_hdf_settings.py::test_what_would_not_be_done_is_refused": "MaxByteRate",
    },
    "statistics": {
        "layouts/test_attributes.py::test_macros_without_a_value_are_refused": "NDAttributesMacros",
        "system/test_attributes.py::test_statistics_stand_beside_every_frame_however_few_the_previews_see": "NDAttributesFile",
        "system/test_previews.py::test_a_region_for_statistics_and_image": "MinX MinY NDArrayPort",
        "system/test_previews.py::test_disabled_previews_are_not_waited_for_and_take_nothing": "EnableCallbacks ProcessPlugin",
        "system/test_previews.py::test_profiles_histogram_and_a_time_series": "TS:TSAcquire",
        "system/test_previews.py::test_values_are_those_of_the_last_frame_in_the_file": "ArrayCounter MaxValue MaxX MaxY",
        "system/test_previews.py::test_when_acquire_is_done_the_statistics_are_those_of_its_last_frame": "Total",
        "writer/preview/test_records.py::test_frames_that_were_passed_over_are_counted_apart_from_those_that_were_lost": "DroppedArrays",
        "writer/preview/test_records.py::test_plugin_settings": "ArrayCallbacks MaxByteRate MinCallbackTime",
        "writer/preview/test_records.py::test_reset_goes_on_with_the_next_group": "ComputeCentroid ComputeHistogram Reset Reset1 SigmaValue",
        "writer/preview/test_records.py::test_settings_reach_the_computation": "BgdWidth CentroidThreshold CursorX CursorY IgnoreMasked",
        "writer/preview/test_records.py::test_the_port_graph": "NDArrayAddress",
        "writer/preview/test_records.py::test_time_series_by_the_records_of_older_versions": "TS:TSAcquireMode TS:TSRead TSControl TSRead",
        "writer/preview/test_records.py::test_what_is_switched_off_keeps_its_values": "ComputeStatistics",
        "writer/preview/test_statistics.py::test_a_spot_has_the_shape_it_was_made_with": "CentroidX CentroidY KurtosisX SkewX",
        "writer/preview/test_statistics.py::test_basic_statistics": "MeanValue MinValue Net",
        "writer/preview/test_statistics.py::test_centroid": "Orientation SigmaX SigmaXY SigmaY",
        "writer/preview/test_statistics.py::test_histogram": "HistAbove HistBelow HistEntropy",
    },
    "image": {
        "system/test_previews.py::test_a_region_for_statistics_and_image": "NDArrayPort",
        "system/test_previews.py::test_disabled_previews_are_not_waited_for_and_take_nothing": "EnableCallbacks ProcessPlugin",
        "system/test_previews.py::test_values_are_those_of_the_last_frame_in_the_file": "ArrayCounter",
        "writer/preview/test_records.py::test_frames_that_were_passed_over_are_counted_apart_from_those_that_were_lost": "DroppedArrays",
        "writer/preview/test_records.py::test_plugin_settings": "ArrayCallbacks MaxByteRate MinCallbackTime",
        "writer/preview/test_records.py::test_the_port_graph": "NDArrayAddress",
    },
    "region": {
        "system/test_previews.py::test_a_region_for_statistics_and_image": "BinX BinY MinX MinY NDArrayPort SizeX SizeY",
        "system/test_previews.py::test_disabled_previews_are_not_waited_for_and_take_nothing": "EnableCallbacks ProcessPlugin",
        "system/test_previews.py::test_values_are_those_of_the_last_frame_in_the_file": "ArrayCounter",
        "writer/preview/test_records.py::test_a_region": "DataTypeOut EnableScale ReverseX Scale",
        "writer/preview/test_records.py::test_frames_that_were_passed_over_are_counted_apart_from_those_that_were_lost": "DroppedArrays",
        "writer/preview/test_records.py::test_plugin_settings": "ArrayCallbacks MaxByteRate MinCallbackTime",
        "writer/preview/test_records.py::test_the_port_graph": "NDArrayAddress",
    },
    "acquisition": {
        "system/test_coordinator.py::test_abort_in_a_series_and_another_straight_after": "Abort",
        "system/test_coordinator.py::test_captures_that_cannot_be_done_say_why": "CreateDirectory",
        "system/test_coordinator.py::test_requests_that_cannot_be_done_say_why": "Name",
        "system/test_safety.py::test_settings_outlive_a_restart_and_linked_values_follow": "SampleName",
    },
    "Odin": {
        "system/test_odin.py::test_a_capture_is_seen_at_fan_meta_and_nodes": "Capture",
        "system/test_odin.py::test_blocks_per_file_cut_the_capture_into_files": "BlockSize BlocksPerFile",
        "system/test_odin.py::test_one_put_of_the_file_name_tells_everyone_and_makes_meta_active": "FileName Stop",
        "system/test_odin.py::test_the_close_timer_ends_a_capture_whose_frames_do_not_come": "CloseFileTimeout StartTimeout",
        "system/test_odin.py::test_what_cannot_be_captured_is_an_error_at_the_node_until_cleared": "FPClearErrors ImageHeight",
    },
}
"""By kind of device and test: records that the test names, found by their names and not judged one by one."""

NOT_SHOWN: dict[str, str] = {
    "trigger": "Pulses",
    "detector": (
        "BeamY ChiIncr ChiStart CountrateCorrApplied DetDist FlatfieldApplied KappaIncr KappaStart "
        "PhiIncr PhiStart PixelMaskApplied PoolPollStats ShutterCloseDelay StreamHdrAppendix "
        "StreamHdrDetail StreamImgAppendix TwoThetaIncr TwoThetaStart"
    ),
    "file": (
        "ArrayCallbacks DataType EmptyFreeList ExtraDimSize3 ExtraDimSize4 ExtraDimSize5 "
        "ExtraDimSize6 ExtraDimSize7 ExtraDimSize8 ExtraDimSize9 PoolPollStats PosIndexDim3 "
        "PosIndexDim4 PosIndexDim5 PosIndexDim6 PosIndexDim7 PosIndexDim8 PosIndexDim9 PosIndexDimN "
        "PosIndexDimX PosIndexDimY PosNameDim3 PosNameDim4 PosNameDim5 PosNameDim6 PosNameDim7 "
        "PosNameDim8 PosNameDim9 PosNameDimX PosNameDimY PreAllocBuffers SWMRMode"
    ),
    "statistics": (
        "CentroidTotal ComputeProfiles DataType Eccentricity EmptyFreeList KurtosisY PoolPollStats "
        "PreAllocBuffers Reset2 SkewY"
    ),
    "image": "DataType EmptyFreeList PoolPollStats PreAllocBuffers",
    "region": (
        "AutoSizeX AutoSizeY CollapseDims DataType EmptyFreeList EnableX EnableY PoolPollStats "
        "PreAllocBuffers ReverseY"
    ),
    "Odin": "CreateDirectory DataType FilePath ImageWidth NumCapture StartCloseTimeout",
}
"""Records whose effect no test looks at by their name; the list may only become shorter."""
